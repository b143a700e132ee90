package controlplane

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// StartNode creates a node with a stand-in for a kubelet, which only forwards ports: those of any pod are the same ports on
// loopback. The caller must call stop. The node object remains.
func StartNode(ctx context.Context, config *rest.Config, name string) (stop func(), err error) {
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	server := httptest.NewTLSServer(http.HandlerFunc(serveKubelet))
	address, err := netip.ParseAddrPort(server.Listener.Addr().String())
	if err != nil {
		server.Close()
		return nil, err
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	node, err = clients.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err == nil {
		node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address.Addr().String()}}
		node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(address.Port())
		_, err = clients.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
	}
	if err != nil {
		server.Close()
		return nil, fmt.Errorf("creating node %s: %w", name, err)
	}
	return server.Close, nil
}

func serveKubelet(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/portForward/") {
		http.NotFound(w, r)
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	streams := make(chan httpstream.Stream, 2)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if connection == nil {
		return // it has responded
	}
	defer connection.Close()
	byType := map[string]httpstream.Stream{}
	for range 2 {
		select {
		case s := <-streams:
			byType[s.Headers().Get(corev1.StreamType)] = s
		case <-connection.CloseChan():
			return
		}
	}
	forward(byType[corev1.StreamTypeData], byType[corev1.StreamTypeError])
	<-connection.CloseChan()
}

// forward copies both ways, or writes why it cannot.
func forward(data, failure httpstream.Stream) {
	defer failure.Close()
	pod, err := net.Dial("tcp", "127.0.0.1:"+data.Headers().Get(corev1.PortHeader))
	if err != nil {
		fmt.Fprintf(failure, "failed to connect to the port: %v", err)
		return
	}
	defer pod.Close()
	go func() { _, _ = io.Copy(pod, data) }()
	_, _ = io.Copy(data, pod)
	_ = data.Close()
}
