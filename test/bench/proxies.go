package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// proxy is one proxy under test, running.
type proxy struct {
	name    string
	version string
	pid     int
	cmd     *exec.Cmd
	load    *load
	results []result
}

// rival is how a proxy is started.
type rival struct {
	name    string
	version []string // the command that prints it
	// files are written to the proxy's folder, as templates: see fill.
	files map[string]string
	// command runs in the foreground; words are templates too.
	command []string
}

// startProxies starts every proxy that is installed. What was started is returned also with an error.
func startProxies(s settings, dir string, pods []string) ([]*proxy, error) {
	var proxies []*proxy
	for _, r := range rivals(s, pods) {
		if _, err := exec.LookPath(r.command[0]); err != nil {
			fmt.Printf("%s is not installed: left out\n", r.name)
			continue
		}
		p, err := r.start(filepath.Join(dir, r.name), s)
		if p != nil {
			proxies = append(proxies, p)
		}
		if err != nil {
			return proxies, fmt.Errorf("starting %s: %w", r.name, err)
		}
	}
	return proxies, nil
}

func (r *rival) start(dir string, s settings) (*proxy, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	if err := r.write(dir, address); err != nil {
		return nil, err
	}
	words := make([]string, len(r.command))
	for i, word := range r.command {
		words[i] = fill(word, dir, address)
	}
	// taskset pins before the program starts, so that it sees one core and sizes itself accordingly.
	cmd := exec.Command("taskset", append([]string{"-c", fmt.Sprint(proxyCore)}, words...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &proxy{name: r.name, version: firstLine(r.version), pid: cmd.Process.Pid, cmd: cmd}
	if err := awaitListener(address); err != nil {
		return p, err
	}
	p.load, err = connect(address, s.connections)
	return p, err
}

func (r *rival) write(dir, address string) error {
	for name, text := range r.files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(fill(text, dir, address)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fill puts the folder and the address of the listener into a template.
func fill(template, dir, address string) string {
	_, port, _ := net.SplitHostPort(address)
	return strings.NewReplacer("{dir}", dir, "{address}", address, "{port}", port).Replace(template)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func awaitListener(address string) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return errors.New("nothing listens after 10 s")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func firstLine(command []string) string {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return "version unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

func stopAll(proxies []*proxy) {
	for _, p := range proxies {
		if p.load != nil {
			p.load.close()
		}
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait()
	}
}
