package main

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"text/template"
	"time"
)

//go:embed config
var configs embed.FS

// driver is how to run one kind of program.
type driver interface {
	about() about
	cannot(scenario string) string
	// command runs the program in the foreground.
	command(r *replica) []string
	// update makes a running program apply r.State after its files were written. old is the state before.
	update(r *replica, old *state) error
	// await returns when the program has applied r.State.
	await(r *replica) error
}

// replica is one running program.
type replica struct {
	Dir, Address, Admin string
	Index               int
	Reversed            bool
	State               *state
	Writes              int               // of the files, to see which ones the program has read
	Reloads             int               // of nginx
	Slots               map[string][]slot // of HAProxy: its servers by route

	process *os.Process
	ended   chan struct{}
	older   []*os.Process // that still serve old connections
}

// programs is a subject whose replicas are processes.
type programs struct {
	driver
	dir      string
	replicas []*replica
}

// lastPort counts up from below the ephemeral ports. No other process listens in the sandbox.
var lastPort atomic.Int32

func nextAddress() string { return fmt.Sprintf("127.0.0.1:%d", 10000+lastPort.Add(1)) }

func (p *programs) address(i int) string { return p.replicas[i].Address }

func (p *programs) start(s *state, reversed bool) error {
	r := &replica{Dir: filepath.Join(p.dir, fmt.Sprintf("%s-%d", p.about().name, lastPort.Load())), Address: nextAddress(),
		Admin: nextAddress(), Index: len(p.replicas), Reversed: reversed, Slots: map[string][]slot{}}
	if shares, ok := p.driver.(sharer); ok && s.App && r.Index == 0 {
		if err := shares.startStore(); err != nil {
			return err
		}
	}
	p.replicas = append(p.replicas, r)
	r.set(s)
	return p.run(r)
}

// Port returns the port of Address.
func (r *replica) Port() string {
	_, port, _ := net.SplitHostPort(r.Address)
	return port
}

// set makes s the state of the replica, in its own order of pods.
func (r *replica) set(s *state) {
	if r.State = s.clone(); r.Reversed {
		r.State = s.reversed()
	}
	for _, route := range r.State.Routes {
		r.Slots[route.Name] = assign(r.Slots[route.Name], route)
	}
}

func (p *programs) run(r *replica) error {
	if err := p.write(r); err != nil {
		return err
	}
	if err := r.launch(p.command(r)); err != nil {
		return err
	}
	if err := p.await(r); err != nil {
		text, _ := os.ReadFile(r.log())
		return fmt.Errorf("%s: %w; output:\n%s", p.about().name, err, text)
	}
	return nil
}

func (r *replica) log() string { return filepath.Join(r.Dir, "output.log") }

// launch starts a process, and makes it the one of the replica.
func (r *replica) launch(command []string) error {
	output, err := os.OpenFile(r.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	r.process, r.ended = cmd.Process, ended
	go func() { _ = cmd.Wait(); close(ended) }()
	return nil
}

// write writes the files of the replica, each of them by a rename.
func (p *programs) write(r *replica) error {
	r.Writes++
	for _, name := range p.about().files {
		parsed, err := template.ParseFS(configs, "config/"+name)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := parsed.Execute(&text, r); err != nil {
			return err
		}
		path := filepath.Join(r.Dir, name)
		if name == limpetFile {
			path = filepath.Join(r.Dir, "manifests", name)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the workers of nginx are another user
			return err
		}
		if err := os.WriteFile(path+".new", text.Bytes(), 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(r.Dir, "keys"), []byte(strings.Join(r.State.Keys, "\n")+"\n"), 0o600)
}

func (p *programs) apply(s *state) error {
	for _, r := range p.replicas {
		old := r.State
		r.set(s)
		if err := p.write(r); err != nil {
			return err
		}
		if err := p.update(r, old); err != nil {
			return err
		}
		if err := p.await(r); err != nil {
			return err
		}
	}
	return nil
}

func (p *programs) restart(i int, s *state) error {
	r := p.replicas[i]
	r.set(s)
	r.end(syscall.SIGTERM)
	return p.run(r)
}

// end ends the current process.
func (r *replica) end(signal os.Signal) {
	if r.process == nil {
		return
	}
	_ = r.process.Signal(signal)
	select {
	case <-r.ended:
	case <-time.After(5 * time.Second):
		_ = r.process.Kill()
		<-r.ended
	}
}

func (p *programs) stop() {
	for _, r := range p.replicas {
		r.end(syscall.SIGTERM)
		for _, old := range r.older {
			_ = old.Kill()
		}
	}
	p.replicas = nil
	if shares, ok := p.driver.(sharer); ok {
		shares.stopStore()
	}
}

// versions has what firstLine returned, by command. Changes are timed, so no command may run in each of them.
var versions = map[string]string{}

// firstLine returns the first line that a command prints. It runs a command once.
func firstLine(command ...string) string {
	key := strings.Join(command, " ")
	if versions[key] == "" {
		versions[key] = firstLineOf(command)
	}
	return versions[key]
}

func firstLineOf(command []string) string {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return "unknown: " + err.Error()
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}
