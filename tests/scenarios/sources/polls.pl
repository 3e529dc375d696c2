# SPDX-License-Identifier: BSD-2-Clause
# An HTTP server that looks for new connections every 20 ms, and answers all that are there. usage: polls.pl PORT BACKLOG
use strict;
use warnings;
use IO::Socket::INET;

my $listener = IO::Socket::INET->new(
	LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => $ARGV[1], ReuseAddr => 1, Blocking => 0)
	or die "cannot listen: $!";
local $SIG{PIPE} = 'IGNORE';
while (1) {
	while (my $client = $listener->accept) {
		$client->blocking(1);
		sysread($client, my $request, 4096) and syswrite($client, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n");
		close $client;
	}
	select(undef, undef, undef, 0.02);
}
