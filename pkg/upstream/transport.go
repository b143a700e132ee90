package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Transport is a model.Transport made ready for use. There is one of each for a Pool, so that connections can be told
// apart by it.
type Transport struct {
	model.Transport
	tls *tls.Config // nil in clear
}

// Transport gives the one of the pool's Transports that is made of m.
func (p *Pool) Transport(m model.Transport) *Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.transports[m]; t != nil {
		return t
	}
	t := &Transport{Transport: m}
	if m.TLS {
		t.tls = clientTLS(m)
	}
	if p.transports == nil {
		p.transports = map[model.Transport]*Transport{}
	}
	p.transports[m] = t
	return t
}

// clientTLS verifies only where an authority is given: the certificates of pods are rarely made for a name, and never
// for an address that lives as long as a pod does.
func clientTLS(m model.Transport) *tls.Config {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         m.ServerName,
		InsecureSkipVerify: m.AuthorityPEM == "",
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	if m.AuthorityPEM != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(m.AuthorityPEM))
	}
	if m.HTTP2 {
		config.NextProtos = []string{"h2"}
	}
	return config
}

// shared reports whether a connection may carry the requests of several clients: not if it began by naming one.
func (t *Transport) shared() bool { return t.ProxyProtocol == 0 }

// Bounds of an HTTP/2 connection to a pod. The window of the connection has room for those of all streams, so that a
// client that does not read its answer cannot keep the answers of others from coming.
const (
	http2StreamWindow     = 64 << 10
	http2ConnectionWindow = 64 << 20
	// http2Silence is after how long without a frame a pod is asked whether it is there still.
	http2Silence = 30 * time.Second
)

// newHTTP2 makes what keeps the HTTP/2 connections to one endpoint.
func (t *Transport) newHTTP2(d *Dialer, dial dialFunc) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP2(t.TLS)
	protocols.SetUnencryptedHTTP2(!t.TLS)
	return &http.Transport{
		DialContext:            dial,
		DialTLSContext:         dial,
		Protocols:              &protocols,
		DisableCompression:     true,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: int64(d.HeadBytes),
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     http2StreamWindow,
			MaxReceiveBufferPerConnection: http2ConnectionWindow,
			SendPingTimeout:               http2Silence,
			PingTimeout:                   d.Timeout,
			WriteByteTimeout:              http2Silence,
		},
	}
}
