#!/bin/bash
# Records the captures in this folder anew: `record.sh NAME`, where the lab tcp is up as NAME.
# Needs root (the splitting of segments is set from outside), Docker and tshark. The tests
# read only what is stored.
set -eu
cd "$(dirname "$0")"
lab=$1
caps="--cap-drop ALL --cap-add NET_RAW --cap-add NET_ADMIN --cap-add SETUID --cap-add SETGID"

await() { # await COMMAND...: until it succeeds, 20 seconds at the most
  local end=$((SECONDS + 20))
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || { echo "no: $*" >&2; exit 1; }; sleep 0.05; done
}
listening() { docker logs "$1" 2>&1 | grep 'listening on'; }
start() { # start CAPTURE HOST...: tcpdump beside each host; returns when all of them capture
  capture=$1; shift; watched="$*"
  for host in $watched; do
    docker run -d --name "$lab-dump-$host" --network "container:$lab-$host" $caps \
      labctl-observer tcpdump -Z root -i any --time-stamp-precision=nano -U -s 192 -w /tmp/dump >/dev/null
    await listening "$lab-dump-$host"
  done
}
stop() { # a sentinel on each host, then tcpdump may end
  for host in $watched; do
    inside "$host" "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'labctl-sentinel end', ('127.0.0.1', 9))"
    await docker exec "$lab-dump-$host" grep 'labctl-sentinel end' /tmp/dump
    docker kill -s INT "$lab-dump-$host" >/dev/null
    docker wait "$lab-dump-$host" >/dev/null
    docker cp "$lab-dump-$host:/tmp/dump" "$capture.$host.pcap"
    docker rm "$lab-dump-$host" >/dev/null
    ./oracle.sh "$capture.$host.pcap"
  done
}
inside() { host=$1; shift; docker exec "$lab-$host" python3 -c "$@"; }
admin() { host=$1; shift; docker run --rm --user 0 --network "container:$lab-$host" $caps labctl-observer "$@"; }
server=$(docker exec "$lab-server" sh -c "ip -4 -br addr show eth0" | awk '{sub("/.*","",$3); print $3}')

# What a pair of programs does on client and server; `stage` is which side runs.
cat > /tmp/$$.play.py <<'PLAY'
import socket, struct, sys, time
side, what, server = sys.argv[1:4]
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
def sock(kind):
    one = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.settimeout(20)
    return one
def listener():
    one = sock(TCP); one.bind((server, 7000)); one.listen(); print("ready", flush=True)
    return one
if (side, what) == ("server", "unread"):        # close with unread data: a RST
    conn, _ = listener().accept(); conn.recv(1, socket.MSG_PEEK); conn.close()
elif (side, what) == ("client", "unread"):
    conn = sock(TCP); conn.connect((server, 7000))
    try: conn.sendall(b"never read"); conn.recv(1)
    except ConnectionResetError: pass
elif (side, what) == ("server", "reuse"):       # the same two ports, twice
    one = listener()
    for _ in range(2):
        conn, _ = one.accept()
        try:
            while conn.recv(100): pass
        except ConnectionResetError: pass
        conn.close()
elif (side, what) == ("client", "reuse"):
    for _ in range(2):
        conn = sock(TCP); conn.bind(("", 40000)); conn.connect((server, 7000))
        conn.sendall(b"hello")
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
elif (side, what) == ("server", "udp"):
    one = sock(UDP); one.bind((server, 7001)); print("ready", flush=True)
    for _ in range(4):
        data, peer = one.recvfrom(9000); one.sendto(data[:100], peer)
elif (side, what) == ("client", "udp"):         # the same datagram thrice, then one in fragments
    one = sock(UDP)
    for data in [b"again"] * 3 + [bytes(4000)]:
        one.sendto(data, (server, 7001)); one.recvfrom(9000)
    closed = sock(UDP); closed.connect((server, 7002)); closed.send(b"anybody?")
    try: closed.recv(10)
    except ConnectionRefusedError: pass
elif (side, what) == ("client", "refused"):
    assert sock(TCP).connect_ex((server, 7003))
elif (side, what) == ("server", "bulk"):
    conn, _ = listener().accept(); conn.sendall(bytes(200000)); conn.recv(1); conn.close()
elif (side, what) == ("client", "bulk"):
    conn = sock(TCP); conn.connect((server, 7000)); left = 200000
    while left: left -= len(conn.recv(left))
    conn.sendall(b"!"); conn.recv(1); conn.close()
PLAY
play() { # play WHAT CLIENT-HOST SERVER-HOST ADDRESS
  if [ "$1" != refused ]; then
    docker exec -i "$lab-$3" sh -c "rm -f /tmp/ready; python3 - server $1 $4 > /tmp/ready" < /tmp/$$.play.py &
    await docker exec "$lab-$3" grep ready /tmp/ready
  fi
  docker exec -i "$lab-$2" python3 - client "$1" "$4" < /tmp/$$.play.py
  wait
}

docker exec "$lab-server" sh -c 'seq 1 10000 > /srv/files/numbers.txt'
start routed client r1 server
docker exec "$lab-client" tcp_client server numbers.txt --out /tmp/numbers.txt >/dev/null
for what in unread reuse udp refused; do play $what client server "$server"; done
stop

# Every third segment of each direction is lost on the router, the first SYN among them.
admin r1 iptables -I FORWARD -p tcp -m statistic --mode nth --every 3 --packet 0 -j DROP
start lossy client r1 server
play bulk client server "$server"
stop
admin r1 iptables -F FORWARD

# The router splits what the server sends; then the client joins it again.
admin r1 ip link set dev eth0 gso_max_segs 1
start split client r1 server
play bulk client server "$server"
stop
ethtool() { # ethtool DEVICE COMMAND VALUE: what ethtool(8) would set
  python3 -c "
import array, fcntl, socket, struct, sys
value = array.array('B', struct.pack('II', $2, $3))
request = struct.pack('16sP', b'$1', value.buffer_info()[0]) + bytes(16)
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)"
}
# A veth joins segments only where its peer, here on the bridge, does no TSO.
offload() { # offload GRO TSO: ETHTOOL_SGRO of the client's end, ETHTOOL_STSO of the bridge's
  nsenter -t "$(docker inspect "$lab-client" -f '{{.State.Pid}}')" -n \
    bash -c "$(declare -f ethtool); ethtool eth0 0x2c $1"
  index=$(docker exec "$lab-client" cat /sys/class/net/eth0/iflink)
  ethtool "$(ip -o link | awk -F': |@' -v index_="$index" '$1 == index_ {print $2}')" 0x1f "$2"
}
offload 1 0
start joined client r1 server
play bulk client server "$server"
stop
offload 0 1
admin r1 ip link set dev eth0 gso_max_segs 65535

docker run -d --name "$lab-alone" --network none --sysctl net.ipv6.conf.all.disable_ipv6=0 \
  --sysctl net.ipv6.conf.lo.disable_ipv6=0 labctl-host >/dev/null
start loopback alone
for address in 127.0.0.1 ::1; do
  for what in unread udp refused; do play $what alone alone $address; done
done
stop
docker rm -f "$lab-alone" >/dev/null
rm /tmp/$$.play.py
