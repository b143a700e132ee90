package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// client is one client of a proxy. It has a session, and every response must come from the pod of the session.
type client interface {
	// work sends requests until the deadline, and returns their durations.
	work(until time.Time) ([]time.Duration, error)
	close()
}

// load is the set of clients of one proxy. They stay connected over all rounds, except in workloads with one
// request per connection.
type load struct{ clients []client }

// connect connects the clients, with limited concurrency.
func (w *workload) connect(address string, count int) (*load, error) {
	const atOnce = 32
	l := &load{clients: make([]client, count)}
	failures := make([]error, atOnce)
	var done sync.WaitGroup
	for first := range atOnce {
		done.Go(func() {
			for i := first; i < count && failures[first] == nil; i += atOnce {
				l.clients[i], failures[first] = w.open(dialer{address: address, client: i, wire: w.wire})
			}
		})
	}
	done.Wait()
	return l, errors.Join(failures...)
}

// run lets each client send its next request after the response to the last one (a closed loop).
func (l *load) run(duration time.Duration) (sample, error) {
	late := time.AfterFunc(duration+responseTimeout, l.close)
	defer late.Stop()
	until := time.Now().Add(duration)
	return l.each(func(_ int, c client) ([]time.Duration, error) { return c.work(until) })
}

// each runs all clients at the same time and summarizes the durations of their requests.
func (l *load) each(work func(int, client) ([]time.Duration, error)) (sample, error) {
	all := make([][]time.Duration, len(l.clients))
	failures := make([]error, len(l.clients))
	var done sync.WaitGroup
	for i, c := range l.clients {
		done.Go(func() { all[i], failures[i] = work(i, c) })
	}
	done.Wait()
	if err := errors.Join(failures...); err != nil {
		return sample{}, err
	}
	return summarize(slices.Concat(all...)), nil
}

func (l *load) close() {
	for _, c := range l.clients {
		if c != nil {
			c.close()
		}
	}
}

// dialer connects one client. Each client has its own address, to avoid limits per client.
type dialer struct {
	address string
	client  int
	wire    wire
}

// responseTimeout limits the wait of a client for a response.
const responseTimeout = 10 * time.Second

// ipBindAddressNoPort defers the choice of the local port to connect, which can reuse ports for different peers
// (ip(7)).
const ipBindAddressNoPort = 24

// dial returns a connection with a deadline, which is removed after the first response.
func (d dialer) dial() (net.Conn, error) {
	from := net.IPv4(127, 1, byte(d.client>>8), byte(d.client))
	how := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: 10 * time.Second,
		Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) {
				_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, ipBindAddressNoPort, 1)
			})
		}}
	conn, err := how.DialContext(context.Background(), "tcp", d.address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(responseTimeout)); err != nil || !d.wire.TLS {
		return conn, err
	}
	return d.shake(conn)
}

// shake performs the TLS handshake with fixed parameters, so that all proxies use the same cryptography. Sessions
// are not resumed.
func (d dialer) shake(conn net.Conn) (net.Conn, error) {
	protocol := "http/1.1"
	if d.wire.HTTP2 {
		protocol = "h2"
	}
	secure := tls.Client(conn, &tls.Config{
		ServerName:         shop,
		InsecureSkipVerify: true, // self-signed certificate of this run
		MinVersion:         tls.VersionTLS13,
		CurvePreferences:   []tls.CurveID{tls.X25519},
		NextProtos:         []string{protocol},
	})
	if err := secure.Handshake(); err != nil {
		conn.Close()
		return nil, err
	}
	state := secure.ConnectionState()
	if state.CipherSuite != tls.TLS_AES_128_GCM_SHA256 || state.NegotiatedProtocol != protocol {
		conn.Close()
		return nil, fmt.Errorf("negotiated %s and %q, want TLS_AES_128_GCM_SHA256 and %q",
			tls.CipherSuiteName(state.CipherSuite), state.NegotiatedProtocol, protocol)
	}
	return secure, nil
}

// firstCookie is the cookie of the first request. Proxies that hash a cookie use it.
func (d dialer) firstCookie() string { return fmt.Sprintf("sid=client-%d", d.client) }

// moved returns the error of a client that got a response from another pod than its own.
func moved(own, got string) error { return fmt.Errorf("a client of %q was sent to %q", own, got) }

// Other request fields of a browser, as alternating names and values.
var browser = []string{
	"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
	"accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
	"accept-language", "en-US,en;q=0.5",
	"accept-encoding", "gzip, deflate, br",
	"referer", "https://shop.example.com/cart",
}
