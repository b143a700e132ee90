package upstream

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/limpet-dev/limpet/pkg/model"
)

// nameServer resolves every name to 127.0.0.1 and records the names.
type nameServer struct {
	net.PacketConn
	asked chan string
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn, make(chan string, 16)}
	t.Cleanup(func() { conn.Close() })
	go s.serve()
	return s
}

func (s *nameServer) serve() {
	buffer := make([]byte, 1024)
	for {
		n, from, err := s.ReadFrom(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.Additionals = true, nil
		question := m.Questions[0]
		s.asked <- question.Name.String()
		if question.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			}}
		}
		if packed, err := m.Pack(); err == nil {
			_, _ = s.WriteTo(packed, from) // on failure the resolver retries
		}
	}
}

func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", s.LocalAddr().String())
	}}
}

func TestDial_nameOfLoopback(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	names := newNameServer(t)
	dialer := &Dialer{Dialer: net.Dialer{Timeout: 5 * time.Second, Resolver: names.resolver()}}
	e := &Endpoint{endpointState: &endpointState{}, Endpoint: model.Endpoint{Address: net.JoinHostPort("kubernetes.default", port)}}
	if _, err := e.Dial(dialer, plain, nil); err == nil || !strings.Contains(err.Error(), "ExternalName") {
		t.Errorf("name that resolves to loopback: %v", err)
	}
	for range len(names.asked) {
		if name := <-names.asked; name != "kubernetes.default." {
			t.Errorf("resolved %s, want no search domain", name)
		}
	}
}
