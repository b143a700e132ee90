package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// target is a limpet process that is attacked.
type target struct {
	plain, secure string
	quic, admin   string
	dir           string
	process       *os.Process
	ended         chan struct{}
}

func hostOf(nth int) string { return fmt.Sprintf("shop-%d.example", nth) }

const uploadHost = "uploads.example"

// start runs limpet with the memory limit of the plan, and waits until it is ready.
func start(p *plan, pods *pods) (*target, error) {
	dir, err := os.MkdirTemp("", "limpet-attack-")
	if err != nil {
		return nil, err
	}
	t := &target{dir: dir, ended: make(chan struct{})}
	for _, address := range []*string{&t.plain, &t.secure, &t.quic, &t.admin} {
		if *address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "all.yaml"), manifests(p.ingresses, pods), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(p.binary, "dev", "--manifests", dir, "--http-addr", t.plain, "--https-addr", t.secure,
		"--http3-addr", t.quic, "--admin-addr", t.admin, "--access-log=false",
		fmt.Sprint("--memory-limit=", p.limit))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t.process = cmd.Process
	go func() {
		defer close(t.ended)
		_ = cmd.Wait()
	}()
	if err := t.awaitReady(); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (t *target) awaitReady() error {
	client := &http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := client.Get("http://" + t.admin + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return errors.New("limpet does not become ready")
}

func (t *target) stop() {
	_ = t.process.Signal(syscall.SIGTERM)
	select {
	case <-t.ended:
	case <-time.After(10 * time.Second):
		_ = t.process.Kill()
		<-t.ended
	}
	os.RemoveAll(t.dir)
}

// memory returns the resident memory of the process in bytes.
func (t *target) memory() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "\nVmRSS:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseInt(kib, 10, 64)
	return n << 10, err
}

// ticksPerSecond is the unit of times in /proc.
const ticksPerSecond = 100

// cpu returns the seconds of CPU that the process has used, zero if it has ended.
func (t *target) cpu() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.ParseFloat(fields[11], 64) // utime and stime are numbers
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticksPerSecond
}

// watch returns the highest memory that it has seen after that long.
func (t *target) watch(most time.Duration) <-chan int64 {
	seen := make(chan int64, 1)
	go func() {
		var peak int64
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(most); time.Now().Before(end); <-tick.C {
			if n, err := t.memory(); err == nil {
				peak = max(peak, n)
			}
		}
		seen <- peak
	}()
	return seen
}

// manifests are that many Ingresses for the pod that responds, and one for that which does not read.
func manifests(ingresses int, pods *pods) []byte {
	var b strings.Builder
	writeService(&b, "cart", "", portOf(pods.quick))
	writeService(&b, "deaf", ", appProtocol: kubernetes.io/h2c", portOf(pods.deaf))
	for nth := range ingresses {
		writeIngress(&b, fmt.Sprint("shop-", nth), hostOf(nth), "cart")
	}
	writeIngress(&b, "uploads", uploadHost, "deaf")
	return []byte(b.String())
}

func writeService(b *strings.Builder, name, protocol string, port int) {
	fmt.Fprintf(b, `apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec:
  ports: [{name: http, port: 80%[2]s}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s-0, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: http, port: %[3]d%[2]s}]
endpoints:
- addresses: ["127.0.0.1"]
  targetRef: {kind: Pod, namespace: default, name: %[1]s-0, uid: %[1]s-0}
---
`, name, protocol, port)
}

func writeIngress(b *strings.Builder, name, host, service string) {
	fmt.Fprintf(b, `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, annotations: {limpet.dev/affinity: cookie}}
spec:
  rules:
  - host: %s
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: %s, port: {number: 80}}}
---
`, name, host, service)
}
