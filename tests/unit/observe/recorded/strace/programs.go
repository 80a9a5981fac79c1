// An HTTP server and its client in one program, and a child that greets it over UDP.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
)

func main() {
	listener, _ := net.Listen("tcp", ":0")
	answer := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d bytes", len(body))
	}
	go http.Serve(listener, http.HandlerFunc(answer))
	port := listener.Addr().(*net.TCPAddr).Port
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		url := fmt.Sprintf("http://%s:%d/", host, port)
		reply, err := http.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 5000)))
		if err != nil {
			continue
		}
		io.Copy(io.Discard, reply.Body)
		reply.Body.Close()
	}
	datagrams, _ := net.ListenPacket("udp", "127.0.0.1:0")
	greeting, _ := net.Dial("udp", datagrams.LocalAddr().String())
	greeting.Write([]byte("hello"))
	buffer := make([]byte, 16)
	datagrams.ReadFrom(buffer)
	exec.Command("/bin/sh", "-c", "exit 3").Run()
	net.Dial("tcp", "127.0.0.1:1")
}
