<?php
// SPDX-License-Identifier: BSD-2-Clause
//
// What a request does stands in the environment, as WORK: sleep, session, semaphore, sqlite; for so many MS; NAME is whose it is:
// all of "one", or each process of its "own".
$name = getenv('NAME') === 'own' ? 'p' . getmypid() : 'one';
$us = 1000 * (int)getenv('MS');
switch (getenv('WORK')) {
case 'sleep':
	usleep($us);
	break;
case 'session': // its file is locked from start to close
	session_id($name);
	session_start();
	$_SESSION['seen'] = ($_SESSION['seen'] ?? 0) + 1;
	usleep($us);
	session_write_close();
	break;
case 'semaphore':
	$semaphore = sem_get(crc32(__DIR__ . $name));
	sem_acquire($semaphore);
	usleep($us);
	sem_release($semaphore);
	break;
case 'sqlite': // one writer at a time
	$database = new SQLite3(__DIR__ . "/$name.db");
	$database->busyTimeout(20000);
	$database->exec('PRAGMA synchronous = OFF; CREATE TABLE IF NOT EXISTS counter (n INTEGER)');
	$database->exec('BEGIN IMMEDIATE; INSERT INTO counter VALUES (1)');
	usleep($us);
	$database->exec('COMMIT');
	break;
case 'compute':
	$sum = 0;
	for ($i = 0; $i < 50 * $us; $i++)
		$sum += $i;
	break;
}
echo "hello\n";
