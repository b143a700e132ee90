package stay

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"
)

const podPort = 8080

// pod is an app that answers with its name.
type pod struct {
	name string
	ip   string
}

// startPods starts pods with addresses of the sandbox's network. They end with the test.
func startPods(t *testing.T, n int) []*pod {
	t.Helper()
	pods := make([]*pod, n)
	for i := range pods {
		pods[i] = &pod{name: fmt.Sprintf("pod-%d", i), ip: fmt.Sprintf("10.250.0.%d", i+1)}
		pods[i].start(t)
	}
	return pods
}

func (p *pod) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(p.ip, strconv.Itoa(podPort)))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, p.name) })}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
}
