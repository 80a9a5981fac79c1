#!/usr/bin/perl
# Correct: socket, connect, send, recv until the server has closed, close.
# client.pl HOST PORT [BYTES [TIMES]]: asks for so many bytes, so many times.
use strict;
use warnings;
use Socket;

my ($host, $port, $bytes, $times) = @ARGV;
$bytes //= 100;
$times //= 1;
alarm($ENV{LIMIT} || 20);
$| = 1;

for (1 .. $times) {
    socket(my $sock, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    connect($sock, pack_sockaddr_in($port, inet_aton($host))) or die "connect: $!\n";
    my $request = "GET $bytes\n";
    syswrite($sock, $request) == length $request or die "send: $!\n";
    my $came = 0;
    while (my $count = sysread($sock, my $piece, 65536)) {
        $came += $count;
    }
    close($sock);
    print "$came of $bytes bytes\n";
    exit 1 if $came != $bytes;
}
