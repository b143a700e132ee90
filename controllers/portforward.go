package controllers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
	streamspdy "k8s.io/streaming/pkg/httpstream/spdy"
)

// maxForwardError bounds the message of a kubelet that cannot connect.
const maxForwardError = 4 << 10

// Dial connects to the admin listener of a replica through the API server and the kubelet, as kubectl port-forward does. Limpet
// sees a connection from loopback. No port is opened on this machine, so that its other users cannot connect.
func (r *Replicas) Dial(ctx context.Context, replica Replica) (net.Conn, error) {
	dialer, err := r.dialer(replica.Pod)
	if err != nil {
		return nil, err
	}
	dialed := make(chan dialResult, 1)
	go func() { // the dialer takes no context
		connection, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		dialed <- dialResult{connection, err}
	}()
	select {
	case d := <-dialed:
		if d.err != nil {
			return nil, fmt.Errorf("forwarding a port of pod %s: %w", replica.Pod, d.err)
		}
		return newForwarded(d.connection, replica)
	case <-ctx.Done():
		go func() {
			if d := <-dialed; d.err == nil {
				_ = d.connection.Close()
			}
		}()
		return nil, fmt.Errorf("forwarding a port of pod %s: %w", replica.Pod, ctx.Err())
	}
}

type dialResult struct {
	connection httpstream.Connection
	err        error
}

// dialer returns the dialer for a pod: over WebSocket, or over SPDY with API servers and proxies that do not support this.
func (r *Replicas) dialer(pod string) (httpstream.Dialer, error) {
	u := r.clients.CoreV1().RESTClient().Post().Resource("pods").Namespace(r.namespace).Name(pod).SubResource("portforward").URL()
	config := rest.CopyConfig(r.config)
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(u, config)
	if err != nil {
		return nil, err
	}
	plain, err := spdyDialer(u, config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(tunnel, plain, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

func spdyDialer(u *url.URL, config *rest.Config) (httpstream.Dialer, error) {
	secure, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	proxy := http.ProxyFromEnvironment
	if config.Proxy != nil {
		proxy = config.Proxy
	}
	upgrader, err := streamspdy.NewRoundTripperWithProxy(secure, proxy)
	if err != nil {
		return nil, err
	}
	transport, err := rest.HTTPWrappersForConfig(config, upgrader)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: transport}
	return spdy.NewDialerForStreaming(spdy.NewUpgraderForStreaming(upgrader), client, http.MethodPost, u), nil
}

// forwarded is a connection to a port of a pod.
type forwarded struct {
	httpstream.Stream
	connection httpstream.Connection
	failed     chan error // the message of the kubelet, if it cannot connect
	pod        string
}

// newForwarded opens the two streams that a forwarded connection needs.
func newForwarded(connection httpstream.Connection, replica Replica) (net.Conn, error) {
	header := http.Header{}
	header.Set(corev1.StreamType, corev1.StreamTypeError)
	header.Set(corev1.PortHeader, strconv.Itoa(replica.AdminPort))
	header.Set(corev1.PortForwardRequestIDHeader, "0")
	failures, err := connection.CreateStream(header)
	if err != nil {
		_ = connection.Close()
		return nil, fmt.Errorf("forwarding a port of pod %s: %w", replica.Pod, err)
	}
	_ = failures.Close() // nothing is written to it
	header.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := connection.CreateStream(header)
	if err != nil {
		_ = connection.Close()
		return nil, fmt.Errorf("forwarding a port of pod %s: %w", replica.Pod, err)
	}
	f := &forwarded{data, connection, make(chan error, 1), replica.Pod}
	go f.readFailure(failures)
	return f, nil
}

// readFailure closes the connection if the kubelet cannot connect.
func (f *forwarded) readFailure(failures io.Reader) {
	message, err := io.ReadAll(io.LimitReader(failures, maxForwardError))
	if err == nil && len(message) > 0 {
		f.failed <- fmt.Errorf("pod %s: %s", f.pod, strings.TrimSpace(string(message)))
		_ = f.connection.Close()
	}
}

// Read returns the message of the kubelet if it cannot connect.
func (f *forwarded) Read(p []byte) (int, error) {
	n, err := f.Stream.Read(p)
	if err != nil {
		select {
		case err = <-f.failed:
		default:
		}
	}
	return n, err
}

// Close closes both streams and the connection to the API server.
func (f *forwarded) Close() error {
	return errors.Join(f.Reset(), f.connection.Close())
}

// LocalAddr returns no address: a forwarded connection has no addresses and no deadlines: clients set a timeout for the whole
// exchange, which closes it.
func (*forwarded) LocalAddr() net.Addr              { return forwardedAddr{} }
func (*forwarded) RemoteAddr() net.Addr             { return forwardedAddr{} }
func (*forwarded) SetDeadline(time.Time) error      { return nil }
func (*forwarded) SetReadDeadline(time.Time) error  { return nil }
func (*forwarded) SetWriteDeadline(time.Time) error { return nil }

// forwardedAddr is the address of both ends of a forwarded connection.
type forwardedAddr struct{}

func (forwardedAddr) Network() string { return "portforward" }
func (forwardedAddr) String() string  { return "portforward" }
