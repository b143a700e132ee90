package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/test/wait"
)

// replicaHosts are the addresses of the replicas. They listen on the same port.
var replicaHosts = []string{"127.0.0.2", "127.0.0.3"}

// replicaSlice is the EndpointSlice of the Service of the replicas.
const replicaSlice = `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: limpet-1, namespace: limpet-system, labels: {kubernetes.io/service-name: limpet}}
addressType: IPv4
ports: [{name: http, port: 80}]
endpoints:
- {addresses: [127.0.0.2], targetRef: {kind: Pod, name: limpet-2}}
- {addresses: [127.0.0.3], targetRef: {kind: Pod, name: limpet-3}}
`

// startReplica serves manifests as limpet run serves a cluster, and returns the address of the admin listener.
func startReplica(t *testing.T, host string, ports [2]string, manifests, keys string) (admin string) {
	t.Helper()
	var o options
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.register(flagSet{flags}, clusterDefaults)
	admin = freeAddresses(t, 1)[0]
	args := []string{"--http-addr", net.JoinHostPort(host, ports[0]), "--https-addr", "", "--admin-addr", admin,
		"--probe-addr", net.JoinHostPort(host, ports[1]), "--affinity-keys", keys, "--stop-delay", "0s"}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	o.inCluster, o.ownService = true, types.NamespacedName{Namespace: "limpet-system", Name: "limpet"}
	translation := o.translation()
	translation.TakeUnclassed = true
	var out output
	n, err := newNode(o, translation, streams{&out, &out})
	if err != nil {
		t.Fatal(err)
	}
	n.own.Reserved = append(n.own.Reserved, netip.MustParseAddr(host)) // as POD_IPS
	found, err := manifest.Load([]string{manifests}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- n.serve(ctx, func(ctx context.Context) error {
			n.apply(found.Snapshot, time.Now())
			<-ctx.Done()
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
	})
	wait.Until(t, "the replica is ready", func() bool { return get(admin, "/readyz") == "ok\n" })
	return admin
}

// freePorts returns two ports that are free on all addresses: for requests, and for replicas.
func freePorts(t *testing.T) (ports [2]string) {
	t.Helper()
	for i := range ports {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, ports[i], err = net.SplitHostPort(l.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	return ports
}

// visit sends a request to a replica, and returns the cookie of the response or, without one, the cookie that was sent.
func visit(t *testing.T, address, cookie string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/cart", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "shop.example.com"
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	for _, c := range response.Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	if response.StatusCode != http.StatusOK || cookie == "" {
		t.Fatalf("status %d, cookie %q", response.StatusCode, cookie)
	}
	return cookie
}

func sessionsOf(t *testing.T, admin, query string) (*sessions.Report, sessions.Pod) {
	t.Helper()
	var report sessions.Report
	text := get(admin, "/sessions?"+query)
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	left, _ := report.Left(sessions.PodRef{Namespace: "default", Name: "cart-a"})
	return &report, left
}

func TestReplicas_countAndDrainTogether(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(app.Close)
	dir, keys := t.TempDir(), filepath.Join(t.TempDir(), "keys")
	write(t, dir, "shop.yaml", drainShop(app.Listener.Addr(), "{}")+replicaSlice)
	if err := os.WriteFile(keys, []byte(base64.StdEncoding.EncodeToString(affinity.NewKey())), 0o600); err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t)
	one, two := startReplica(t, replicaHosts[0], ports, dir, keys), startReplica(t, replicaHosts[1], ports, dir, keys)
	for i := range 5 { // three sessions use both replicas
		cookie := visit(t, replicaHosts[0]+":"+ports[0], "")
		if i < 3 {
			visit(t, replicaHosts[1]+":"+ports[0], cookie)
		}
	}
	visit(t, replicaHosts[1]+":"+ports[0], "")
	if _, own := sessionsOf(t, two, ""); own.Sessions != 4 {
		t.Errorf("the second replica alone has seen %d sessions, want 4", own.Sessions)
	}
	for _, admin := range []string{one, two} {
		report, all := sessionsOf(t, admin, "replicas=all")
		if all.Sessions != 6 || all.Draining || len(report.Replicas) != 2 || len(report.Missing()) != 0 {
			t.Errorf("all replicas: got %+v, %+v; want 6 sessions", all, report.Replicas)
		}
	}
	drained := postTo(t, "http://"+one+"/drain/default/cart-a")
	if !strings.Contains(drained, `"sessions":6`) || strings.Contains(drained, "missing") {
		t.Errorf("drain: %s", drained)
	}
	if _, own := sessionsOf(t, two, ""); !own.Draining {
		t.Error("the second replica does not drain the pod")
	}
}

// A replica with other keys is not believed, and is named.
func TestReplicas_otherKeys(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(app.Close)
	dir := t.TempDir()
	write(t, dir, "shop.yaml", drainShop(app.Listener.Addr(), "{}")+replicaSlice)
	ports := freePorts(t)
	var admins []string
	for _, host := range replicaHosts {
		keys := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(keys, []byte(base64.StdEncoding.EncodeToString(affinity.NewKey())), 0o600); err != nil {
			t.Fatal(err)
		}
		admins = append(admins, startReplica(t, host, ports, dir, keys))
	}
	visit(t, replicaHosts[1]+":"+ports[0], "")
	report, all := sessionsOf(t, admins[0], "replicas=all")
	if missing := report.Missing(); all.Sessions != 0 || len(missing) != 1 || missing[0].Name != "limpet-3" {
		t.Errorf("got %+v, %+v", all, report.Replicas)
	}
}

func postTo(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Post(url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", response.StatusCode, err, text)
	}
	return string(text)
}
