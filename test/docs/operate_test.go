package docs

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/controlplane"
	"github.com/limpet-dev/limpet/test/programs"
	"github.com/limpet-dev/limpet/test/wait"
)

// replicas are the pods of Limpet in the installation of docs/operate.md, with their addresses, and the ports of HTTP and of the
// admin listener on loopback.
var replicas = []struct {
	pod, address string
	http, admin  int
}{{"limpet-7c9f8-2x4kd", "10.250.2.1", 18080, 19091}, {"limpet-7c9f8-9qk7s", "10.250.2.2", 18081, 19092}}

// cartPods are the addresses of the pods of Service cart.
var cartPods = map[string]string{"cart-a": "10.250.1.7", "cart-b": "10.250.1.8", "cart-c": "10.250.1.9"}

// cartSlice is the EndpointSlice of the pods.
func (s *session) cartSlice(t *testing.T, pods []string) string {
	t.Helper()
	text := "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: cart, namespace: shop," +
		" labels: {kubernetes.io/service-name: cart}}\naddressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints:\n"
	for _, pod := range pods {
		uid := s.run(t, "kubectl get pod "+pod+" -n shop -o jsonpath={.metadata.uid}")
		text += fmt.Sprintf("- {addresses: [%s], targetRef: {kind: Pod, namespace: shop, name: %s, uid: %s}}\n", cartPods[pod], pod, uid)
	}
	return text
}

// replicaPod is a pod of Limpet, without a container that runs.
func replicaPod(name string, admin int) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: limpet-system, labels: {app.kubernetes.io/name: limpet}}\n"+
		"spec: {nodeName: node-1, containers: [{name: limpet, image: limpet, ports: [{name: admin, containerPort: %d}]}]}\n", name, admin)
}

// installation starts a cluster with a node, two replicas of Limpet and three pods of a shop, and binds the sessions of 30
// users. It writes the token of a user whose session is at cart-b to the file token.
func (s *session) installation(t, whole *testing.T) {
	t.Helper()
	plane, err := controlplane.Start()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s.cluster = &cluster{plane, cancel}
	s.write(t, "kubeconfig", string(plane.Kubeconfig()))
	link(t, programs.Limpet.Path(), filepath.Join(s.dir, ".bin/kubectl-limpet"))
	stop, err := controlplane.StartNode(t.Context(), plane.Config, "node-1")
	if err != nil {
		t.Fatal(err)
	}
	whole.Cleanup(stop)
	objects, err := os.ReadFile("testdata/operate/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(objects)
	for _, r := range replicas {
		text += replicaPod(r.pod, r.admin)
	}
	s.write(t, "installation.yaml", text)
	s.run(t, "kubectl apply -f installation.yaml")
	s.write(t, "pods.yaml", s.cartSlice(t, []string{"cart-a", "cart-b", "cart-c"}))
	s.run(t, "kubectl apply -f pods.yaml")
	for _, r := range replicas {
		s.run(t, fmt.Sprintf(`kubectl patch pod %s -n limpet-system --subresource status --type merge -p `+
			`'{"status":{"phase":"Running","podIP":%q,"conditions":[{"type":"Ready","status":"True"}]}}'`, r.pod, r.address))
	}
	for pod, address := range cartPods {
		servePod(t, whole, pod, address+":8080")
	}
	s.startReplicas(ctx, t, whole)
	s.bindUsers(t)
}

// servePod starts a pod that responds with its name.
func servePod(t, whole *testing.T, name, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })}
	go func() { _ = server.Serve(l) }() // returns after Close
	whole.Cleanup(func() { server.Close() })
}

func (s *session) startReplicas(ctx context.Context, t, whole *testing.T) {
	t.Helper()
	for _, r := range replicas {
		run := command(ctx, s.dir, fmt.Sprintf("POD_IP=%s exec limpet run --kubeconfig kubeconfig --namespace limpet-system"+
			" --http-addr 127.0.0.1:%d --https-addr '' --admin-addr 127.0.0.1:%d --probe-addr %s:9090"+
			" --publish-service limpet-system/limpet --stop-delay 0s --stop-timeout 1s > %s 2>&1",
			r.address, r.http, r.admin, r.address, r.pod+".log"))
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		whole.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	}
	awaitPods(t, len(cartPods))
	wait.Until(t, "a leader", func() bool {
		for _, r := range replicas {
			text, _ := os.ReadFile(filepath.Join(s.dir, r.pod+".log"))
			if strings.Contains(string(text), "Started leading") {
				return true
			}
		}
		return false
	})
}

// visit requests the cart as a new user, and returns the pod that responded and the token of the session.
func visit(t *testing.T, port int) (pod, token string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/cart", port), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "shop.example.com"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	pod = readAll(response.Body)
	for _, c := range response.Cookies() {
		token = c.Value
	}
	return pod, token
}

// bindUsers binds sessions in both replicas, and keeps the token of one at cart-b.
func (s *session) bindUsers(t *testing.T) {
	t.Helper()
	for i := range 30 {
		if pod, token := visit(t, replicas[i%2].http); pod == "cart-b" {
			s.write(t, "token", token)
		}
	}
}

// setPods makes these the only pods of the cart, and waits until the replicas know.
func (s *session) setPods(t *testing.T, pods []string) {
	t.Helper()
	s.write(t, "pods.yaml", s.cartSlice(t, pods))
	s.run(t, "kubectl apply -f pods.yaml")
	awaitPods(t, len(pods))
}

// awaitPods waits until all replicas know this number of pods of the cart.
func awaitPods(t *testing.T, n int) {
	t.Helper()
	for _, r := range replicas {
		wait.Until(t, r.pod+" to know the pods", func() bool {
			response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/debug/table?pool=shop/cart:80", r.admin))
			if err != nil {
				return false
			}
			defer response.Body.Close()
			return strings.Count(readAll(response.Body), `"pod": "cart-`) == n
		})
	}
}
