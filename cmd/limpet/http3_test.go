package main

import (
	"crypto/tls"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/quic-go/quic-go/http3"

	"github.com/limpet-dev/limpet/test/wait"
)

func TestHTTP3_address(t *testing.T) {
	p := start(t, "demo", "--http3-addr", "127.0.0.1:0", "--log-format=json")
	var told []string
	wait.Until(t, "HTTP/3 is served", func() bool {
		told = regexp.MustCompile(`"listener":"HTTP/3","address":"([^"]+)"`).FindStringSubmatch(p.err.String())
		return told != nil
	})
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.Close()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+told[1]+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := transport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.ProtoMajor != 3 {
		t.Errorf("got a response in %s", answer.Proto)
	}
	p.stop(t)
	if !strings.Contains(p.out.String(), "HTTP/3.0") {
		t.Errorf("no line of HTTP/3 in:\n%s", p.out.String())
	}
}
