package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
)

// podRole is the argument by which the bench starts itself as the pods.
const podRole = "serve-pods"

const podCount = 3

// podBody is the length of what a pod answers.
const podBody = 100

// podProcess is the process in which the pods run.
type podProcess struct {
	cmd       *exec.Cmd
	addresses []string
}

func startPods() (*podProcess, error) {
	p := &podProcess{cmd: exec.Command(os.Args[0], podRole)}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("starting the pods: %w", err)
	}
	p.addresses = strings.Fields(line)
	return p, nil
}

func (p *podProcess) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// servePods serves podCount pods that answer every request with their name, at as little cost as possible: what is
// measured is the proxy. It prints their addresses and ends when it is killed.
func servePods([]string) {
	var addresses []string
	for i := range podCount {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		addresses = append(addresses, l.Addr().String())
		go servePod(l, fmt.Sprintf("pod-%d", i))
	}
	fmt.Println(strings.Join(addresses, " "))
	select {}
}

func servePod(l net.Listener, name string) {
	body := name + strings.Repeat(".", podBody-len(name))
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"+
		"Date: Sat, 21 Nov 2026 00:00:00 GMT\r\nCache-Control: no-store\r\n\r\n%s", len(body), body)
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go serveConnection(conn, answer)
	}
}

// serveConnection answers every head that ends in the bytes read. Requests have no bodies here.
func serveConnection(conn net.Conn, answer []byte) {
	defer conn.Close()
	buf := make([]byte, 16<<10)
	held := 0
	for {
		n, err := conn.Read(buf[held:])
		if err != nil {
			return
		}
		held += n
		end := bytes.Index(buf[:held], []byte("\r\n\r\n"))
		if end < 0 {
			continue
		}
		held = copy(buf, buf[end+4:held])
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
