// SPDX-License-Identifier: BSD-2-Clause
//
// Processes of one cluster, of which one at a time may compute: who may is said by the primary. usage: cluster.js PORT MS PROCESSES LOCKED
const cluster = require('cluster')
const [port, milliseconds, processes, locked] = process.argv.slice(2).map(Number)

function lead() {
	const waiting = []
	let holder = null

	function pass() {
		holder = waiting.shift() || null
		if (holder) holder.send('yours')
	}
	for (let i = 0; i < processes; i++) cluster.fork()
	cluster.on('message', (worker, word) => {
		if (word === 'lock') waiting.push(worker)
		if (word === 'unlock') holder = null
		if (!holder) pass()
	})
}

function work(count) {
	let sum = 0
	for (let i = 0; i < count; i++) sum += Math.sqrt(i)
	return sum
}

function countPerMs() {
	let best = Infinity
	for (let i = 0; i < 20; i++) {
		const start = process.hrtime.bigint()
		work(1e6)
		best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6)
	}
	return 1e6 / best
}

function serve() {
	const count = countPerMs() * milliseconds
	const answers = []

	process.on('message', (word) => {
		if (word !== 'yours') return
		answers.shift().end(String(work(count)))
		process.send('unlock')
	})
	require('http').createServer((_, answer) => {
		if (!locked) return answer.end(String(work(count)))
		answers.push(answer)
		process.send('lock')
	}).listen(port, '127.0.0.1')
}

if (cluster.isPrimary) lead()
else serve()
