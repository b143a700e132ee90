package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// authorities are combinations of the places where a request names its host. The one that takes precedence is used
// everywhere: pod is the Host that the pod receives. If pod is empty, the request is refused. The route and the log
// line are those for a.example.
var authorities = []struct {
	name   string
	target string // of HTTP/1.1; "" where the form is one of HTTP/2
	fields []string
	pod    string
}{
	{"Host", "/", []string{"Host: a.example"}, "a.example"},
	{"capitals", "/", []string{"Host: A.EXAMPLE"}, "A.EXAMPLE"},
	{"port", "/", []string{"Host: a.example:8080"}, "a.example:8080"},
	{"final dot", "/", []string{"Host: a.example."}, "a.example."},
	{"final dot and port", "/", []string{"Host: a.example.:80"}, "a.example.:80"},
	{"spaces", "/", []string{"Host:  \t a.example \t"}, "a.example"},
	{"absolute-form", "http://a.example/", []string{"Host: a.example"}, "a.example"},
	{"absolute-form in capitals", "http://A.example/", []string{"Host: a.example"}, "a.example"},
	{"absolute-form with port", "https://a.example:443/", []string{"Host: a.example:443"}, "a.example:443"},
	{"X-Forwarded-Host", "/", []string{"Host: a.example", "X-Forwarded-Host: b.example"}, "a.example"},
	{"Forwarded", "/", []string{"Host: a.example", "Forwarded: host=b.example"}, "a.example"},
	{"X-Original-Host", "/", []string{"Host: a.example", "X-Original-Host: b.example"}, "a.example"},
	{"two Hosts", "/", []string{"Host: a.example", "Host: b.example"}, ""},
	{"two Hosts the other way round", "/", []string{"Host: b.example", "Host: a.example"}, ""},
	{"Host and an empty one", "/", []string{"Host: a.example", "Host:"}, ""},
	{"two Hosts in one", "/", []string{"Host: a.example,b.example"}, ""},
	{"absolute-form against Host", "http://a.example/", []string{"Host: b.example"}, ""},
	{"Host against absolute-form", "http://b.example/", []string{"Host: a.example"}, ""},
	{"absolute-form with the default port", "http://a.example:80/", []string{"Host: a.example"}, "a.example"},
	{"Host with the default port", "http://a.example/", []string{"Host: a.example:80"}, "a.example:80"},
	{"empty port", "/", []string{"Host: a.example:"}, "a.example"},
	{"absolute-form against the port", "http://a.example:81/", []string{"Host: a.example"}, ""},
	{"absolute-form without Host", "http://a.example/", nil, ""},
	{"user", "/", []string{"Host: b.example@a.example"}, ""},
	{"user in absolute-form", "http://b.example@a.example/", []string{"Host: a.example"}, ""},
	{"path", "/", []string{"Host: a.example/b.example"}, ""},
	{"query", "/", []string{"Host: a.example?b.example"}, ""},
	{"fragment", "/", []string{"Host: a.example#b.example"}, ""},
	{"backslash", "/", []string{`Host: a.example\b.example`}, ""},
	{"two ports", "/", []string{"Host: a.example:80:80"}, ""},
	{"port that is none", "/", []string{"Host: a.example:b"}, ""},
	{"two final dots", "/", []string{"Host: a.example.."}, ""},
	{"folded", "/", []string{"Host: a.example", " b.example"}, ""},
	{"NUL", "/", []string{"Host: a.example\x00.b.example"}, ""},
	{"none", "/", nil, ""},

	{":authority", "", []string{":authority", "a.example"}, "a.example"},
	{":authority in capitals", "", []string{":authority", "A.EXAMPLE"}, "A.EXAMPLE"},
	{":authority with port", "", []string{":authority", "a.example:8080"}, "a.example:8080"},
	{":authority with a final dot", "", []string{":authority", "a.example."}, "a.example."},
	{":authority and the same Host", "", []string{":authority", "a.example", "host", "A.example"}, "a.example"},
	{"Host without :authority", "", []string{"host", "a.example"}, "a.example"},
	{":authority with the default port", "", []string{":authority", "a.example:80", "host", "a.example"}, "a.example:80"},
	{":authority with an empty port", "", []string{":authority", "a.example:"}, "a.example"},
	{":authority with the port of https", "", []string{":authority", "a.example:443", "host", "a.example"}, ""},
	{":authority and another Host", "", []string{":authority", "a.example", "host", "b.example"}, ""},
	{":authority against Host", "", []string{":authority", "b.example", "host", "a.example"}, ""},
	{":authority and two Hosts", "", []string{":authority", "a.example", "host", "a.example", "host", "b.example"}, ""},
	{":authority of two", "", []string{":authority", "a.example,b.example"}, ""},
	{":authority with user", "", []string{":authority", "b.example@a.example"}, ""},
	{":authority with a path", "", []string{":authority", "a.example/b.example"}, ""},
	{"two :authority", "", []string{":authority", "a.example", ":authority", "b.example"}, ""},
	{"no :authority", "", nil, ""},
}

func TestAuthority_everyForm(t *testing.T) {
	var lines logLines
	log := observe.NewAccessLog(&lines, observe.AccessLogOptions{JSON: true})
	r := newRig(t, func(o *Options) { o.AccessLog = log })
	p, other := startEcho(t, "pod-a"), startEcho(t, "pod-b")
	r.replace(cart, endpointsOf(p)...)
	r.replace(blog, endpointsOf(other)...)
	named, rest := routeTo(cart, nil), routeTo(blog, nil)
	named.Host = "a.example"
	r.publish(rest, named)
	accepted := 0
	for _, c := range authorities {
		status := r.askFor(c.target, c.fields)
		got := ""
		for _, head := range p.takeRequests() {
			got += strings.Join(fieldLines(head, "Host"), " | ")
		}
		want := ""
		if c.pod != "" {
			want = "Host: " + c.pod
			accepted++
		}
		if refused := status == "400" || status == "reset"; got != want || refused != (want == "") {
			t.Errorf("%s: got %s, and the pod %q, want %q", c.name, status, got, want)
		}
	}
	if stray := other.requests(); len(stray) > 0 {
		t.Errorf("the pod of other hosts was sent %q", stray)
	}
	eventually(t, "all to be over", r.server.conns.empty)
	log.Close()
	for _, line := range lines.parsed(t) {
		if line["status"] == 200. {
			accepted--
			if line["host"] != "a.example" {
				t.Errorf("the log has %v", line)
			}
		}
	}
	if accepted != 0 {
		t.Errorf("%d more were accepted than logged", accepted)
	}
}

// askFor sends a GET by HTTP/1.1, or without a target by HTTP/2, and returns the status of the response, or "reset".
func (r *rig) askFor(target string, fields []string) string {
	r.t.Helper()
	if target == "" {
		return rawHTTP2(r.t.(*testing.T), r.addr,
			append([]string{":method", "GET", ":scheme", "http", ":path", "/"}, fields...)...)
	}
	client := r.dial()
	defer client.Close()
	client.send(strings.Join(append([]string{"GET " + target + " HTTP/1.1"}, fields...), "\r\n") + "\r\n\r\n")
	return fmt.Sprint(client.read("GET").status)
}
