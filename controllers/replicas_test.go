package controllers

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/test/controlplane"
)

// startNode creates a node that forwards ports to loopback.
func startNode(t *testing.T, name string) {
	t.Helper()
	stop, err := controlplane.StartNode(t.Context(), config, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = admin.Delete(context.WithoutCancel(t.Context()), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}})
	})
}

// newReplicaPod creates a running pod of Limpet with an admin port.
func newReplicaPod(t *testing.T, namespace, name, node string, port int, isReady bool) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/name": "limpet"}},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "limpet", Image: "limpet",
			Ports: []corev1.ContainerPort{{Name: "admin", ContainerPort: int32(port)}}}}},
	}
	createForTest(t, pod)
	ready := corev1.ConditionFalse
	if isReady {
		ready = corev1.ConditionTrue
	}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.1.0.1",
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}}
	if err := admin.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
}

// listenerOn returns the port of a server on loopback that responds with its Host and the peer.
func listenerOn(t *testing.T) int {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintf(w, "%s from %s with %s", r.Host, host, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().(*net.TCPAddr).Port
}

// getThrough sends a GET request to a replica.
func getThrough(t *testing.T, r *Replicas, replica Replica) (string, error) {
	t.Helper()
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return r.Dial(ctx, replica) }}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:9091/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer secret")
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

func TestReplicas_listAndDial(t *testing.T) {
	namespace := newNamespace(t)
	startNode(t, "node-of-replicas")
	newReplicaPod(t, namespace, "limpet-a", "node-of-replicas", 1, false)
	newReplicaPod(t, namespace, "limpet-b", "node-of-replicas", listenerOn(t), true)
	r, err := NewReplicas(config, namespace, "")
	if err != nil {
		t.Fatal(err)
	}
	found, err := r.List(t.Context())
	if err != nil || len(found) != 2 || found[0].Pod != "limpet-b" || !found[0].IsReady || found[1].IsReady {
		t.Fatalf("got %+v, %v, want the ready one first", found, err)
	}
	// As with kubectl port-forward, the token arrives, and the peer is on loopback.
	if got, err := getThrough(t, r, found[0]); err != nil || got != "localhost:9091 from 127.0.0.1 with Bearer secret" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := getThrough(t, r, found[1]); err == nil || !strings.Contains(err.Error(), "pod limpet-a: failed to connect") {
		t.Errorf("of a pod that does not listen: got %q, %v", got, err)
	}
	found[1].Pod = "limpet-c"
	if got, err := getThrough(t, r, found[1]); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("of a missing pod: got %q, %v", got, err)
	}
	none, err := NewReplicas(config, namespace, "app=other")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := none.List(t.Context()); err == nil || !strings.Contains(err.Error(), namespace) {
		t.Errorf("without replicas: got %+v, %v", found, err)
	}
}
