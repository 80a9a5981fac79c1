#!/bin/sh
# Writes what tshark reads from a capture, one packet a line: `oracle.sh X.pcap` makes X.tsv.
set -eu
tshark -r "$1" -d tcp.port==7000,data -T fields -E header=y -E occurrence=f -n \
  -o tcp.desegment_tcp_streams:FALSE -o ip.defragment:FALSE -o ipv6.defragment:FALSE \
  -e frame.number -e frame.time_epoch -e frame.len -e sll.pkttype -e sll.ifindex \
  -e ip.src -e ip.dst -e ipv6.src -e ipv6.dst -e ip.id -e ip.frag_offset \
  -e tcp.srcport -e tcp.dstport -e udp.srcport -e udp.dstport -e tcp.stream \
  -e tcp.flags -e tcp.seq -e tcp.ack -e tcp.seq_raw -e tcp.ack_raw -e tcp.len \
  -e tcp.window_size -e tcp.options.mss_val -e tcp.options.wscale.shift \
  -e tcp.options.timestamp.tsval -e tcp.options.timestamp.tsecr \
  -e tcp.options.sack_le -e tcp.options.sack_re -e tcp.analysis.retransmission \
  -e tcp.analysis.out_of_order -e tcp.analysis.spurious_retransmission \
  -e udp.length -e icmp.type -e icmp.code -e icmpv6.type -e icmpv6.code \
  2>/dev/null > "${1%.pcap}.tsv"
