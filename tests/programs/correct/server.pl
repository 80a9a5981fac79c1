#!/usr/bin/perl
# Correct: socket, bind, listen; for each client accept, recv, send, close.
# server.pl HOST PORT [CLIENTS]: ends after so many clients, or by SIGTERM.
use strict;
use warnings;
use Socket;

my ($host, $port, $clients) = (@ARGV, 0);
alarm($ENV{LIMIT} || 60);
$| = 1;
$SIG{PIPE} = 'IGNORE';

socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!\n";
bind($server, pack_sockaddr_in($port, inet_aton($host))) or die "bind: $!\n";
listen($server, 5) or die "listen: $!\n";
print "ready\n";
for (my $served = 0; $clients == 0 || $served < $clients; $served++) {
    accept(my $connection, $server) or die "accept: $!\n";
    my $request = "";
    while ($request !~ /\n/) {
        last unless sysread($connection, $request, 64, length $request);
    }
    if ($request =~ /^GET (\d+)\n/) {
        my $reply = "x" x $1;
        my $sent = 0;
        while ($sent < length $reply) {
            my $count = syswrite($connection, $reply, length($reply) - $sent, $sent);
            last unless defined $count;
            $sent += $count;
        }
    }
    close($connection);
}
close($server);
