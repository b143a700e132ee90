package main

import (
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

//go:embed config
var configs embed.FS

// site is the data of the templates in config.
type site struct {
	wire
	filters
	Decider             endpoint // the service that decides about requests
	Lua                 bool
	Dir                 string // directory of the proxy's files
	Address, Host, Port string // address of its listener
	Pods                []string
	Endpoints           []endpoint
	Cert64, Key64       string
}

type endpoint struct{ Host, Port string }

// proxy is one running proxy under test.
type proxy struct {
	rival   *rival
	address string
	process *os.Process
	ended   chan struct{} // closed when the process has exited
	load    *load
	results []result
	took    time.Duration // total duration of counted rounds
	used    time.Duration // CPU time of the proxy in these rounds
	memory  int64         // peak memory in bytes
}

// start starts one proxy for a workload. On an error, it also returns the proxy if its process was started.
func (b *bench) start(r *rival, w *workload) (*proxy, error) {
	dir := filepath.Join(b.dir, w.name, r.name)
	at, err := b.site(r, w, dir)
	if err != nil {
		return nil, err
	}
	if err := b.write(r, at); err != nil {
		return nil, err
	}
	said, err := os.Create(filepath.Join(dir, "said.log"))
	if err != nil {
		return nil, err
	}
	defer said.Close()
	cmd := b.command(r.command(at))
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &proxy{rival: r, address: at.Address, process: cmd.Process, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	if err := p.awaitListener(); err != nil {
		text, _ := os.ReadFile(said.Name())
		return p, fmt.Errorf("%w; output:\n%s", err, text)
	}
	return p, nil
}

func (b *bench) site(r *rival, w *workload, dir string) (site, error) {
	address, err := freeAddress()
	if err != nil {
		return site{}, err
	}
	at := site{wire: w.wire, Lua: r.name == luaName, Dir: dir, Address: address, Pods: b.pods.http1}
	if w.wire.GRPC {
		at.Pods = b.pods.http2
	}
	if !r.plain {
		at.filters = w.filters
	}
	at.Decider.Host, at.Decider.Port, _ = net.SplitHostPort(b.pods.decider)
	at.Host, at.Port, _ = net.SplitHostPort(address)
	for _, pod := range at.Pods {
		host, port, _ := net.SplitHostPort(pod)
		at.Endpoints = append(at.Endpoints, endpoint{host, port})
	}
	at.Cert64 = base64.StdEncoding.EncodeToString(b.identity.cert)
	at.Key64 = base64.StdEncoding.EncodeToString(b.identity.key)
	return at, nil
}

// write writes the files of the proxy.
func (b *bench) write(r *rival, at site) error {
	var text strings.Builder
	files := map[string]string{
		"cert.pem": string(b.identity.cert),
		"key.pem":  string(b.identity.key),
		"both.pem": string(b.identity.cert) + string(b.identity.key),
	}
	for name, config := range r.files {
		parsed, err := template.ParseFS(configs, "config/"+config)
		if err != nil {
			return err
		}
		text.Reset()
		if err := parsed.Execute(&text, at); err != nil {
			return err
		}
		files[name] = text.String()
	}
	for name, content := range files {
		path := filepath.Join(at.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// command returns a command that runs on the proxy's core and is killed with this process. taskset pins it before
// the program starts, so that the program detects one core.
func (b *bench) command(words []string) *exec.Cmd {
	if !b.smoke {
		words = append([]string{"taskset", "-c", fmt.Sprint(proxyCore)}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (p *proxy) stop() {
	if p.load != nil {
		p.load.close()
	}
	_ = p.process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		_ = p.process.Kill()
		<-p.ended
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (p *proxy) awaitListener() error {
	deadline := time.After(10 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", p.address, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return errors.New("it has ended")
		case <-deadline:
			return errors.New("nothing listens after 10 s")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
