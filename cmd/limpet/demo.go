package main

import (
	"context"
	"embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

//go:embed demo/*.yaml
var demoManifests embed.FS

func newDemoCommand(std streams) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "demo [flags]",
		Short: "Serve sample manifests and three sample pods",
		Long:  "Serve sample manifests and three sample pods that run in the same process, and print what to try.",
		Example: `limpet demo

# On other ports
limpet demo --http-addr localhost:8081 --https-addr '' --admin-addr localhost:9091`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.unknown = unknownVariables(cmd.Root(), os.Environ())
			return runDemo(cmd.Context(), o, std)
		},
	}
	o.register(flagSet{cmd.Flags()}, devDefaults)
	return cmd
}

// runDemo runs dev with three sample pods in this process. It writes the manifests to a temporary directory, where they
// can be edited while it runs.
func runDemo(ctx context.Context, o options, std streams) error {
	if err := o.validate(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "limpet-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pods, err := startPods("cart-a", "cart-b", "cart-c")
	if err != nil {
		return err
	}
	defer pods.stop()
	if err := writeDemo(dir, pods); err != nil {
		return err
	}
	explainDemo(std.out, o, dir)
	return serveManifests(ctx, o, dir, std)
}

// explainDemo prints what to try.
func explainDemo(w io.Writer, o options, dir string) {
	fmt.Fprintf(w, `Limpet serves three sample pods: cart-a, cart-b and cart-c. In another terminal, try:

  curl -s -b jar -c jar %[1]s                     several times: the cookie returns you to the same pod
  curl -s -H 'X-Session-Id: alice' %[1]s          the same for clients that send a header instead of cookies
  for i in $(seq 30); do curl -s -b jar$i -c jar$i %[1]s; done
                                                                30 clients have a session each
`, urlOf(o.httpAddr))
	if o.admin.addr != "" {
		fmt.Fprintf(w, `
Dashboard: %[1]s#/pool?id=default/cart:80

It shows the sessions of each pod. Drain cart-a with its button there, or with the first of these commands. Send the requests
of the 30 clients again after each, and see where they go:

  curl -s -X POST '%[1]sdrain/default/cart-a'     cart-a keeps its sessions for a minute and gets no new ones
  rm %[2]s/cart-a.yaml           cart-a is gone: its sessions move once
`, urlOf(o.admin.addr), dir)
	}
	fmt.Fprintf(w, "\nThe manifests are in %s. You can edit them while Limpet runs. Press Ctrl-C to stop.\n\n", dir)
}

// urlOf returns the URL of a listener on this machine.
func urlOf(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

// pods are the sample pods.
type pods struct {
	servers []*http.Server
	names   []string
	ports   []int32
	serving sync.WaitGroup
}

func startPods(names ...string) (*pods, error) {
	p := &pods{}
	for _, name := range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			p.stop()
			return nil, err
		}
		server := &http.Server{Handler: samplePod(name), ReadHeaderTimeout: 5 * time.Second}
		p.servers, p.names = append(p.servers, server), append(p.names, name)
		_, port, _ := net.SplitHostPort(l.Addr().String())
		number, _ := strconv.ParseInt(port, 10, 32)
		p.ports = append(p.ports, int32(number))
		p.serving.Go(func() { _ = server.Serve(l) }) // returns when stop closes the server
	}
	return p, nil
}

// samplePod counts its requests in memory, like a shop without a shared store.
func samplePod(name string) http.Handler {
	var requests atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "pod %s, request %d, client %s\n", name, requests.Add(1), r.Header.Get("X-Real-IP"))
	})
}

func (p *pods) stop() {
	for _, s := range p.servers {
		s.Close()
	}
	p.serving.Wait()
}

// writeDemo writes the bundled manifests and one EndpointSlice per pod to dir.
func writeDemo(dir string, p *pods) error {
	entries, err := demoManifests.ReadDir("demo")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		text, err := demoManifests.ReadFile("demo/" + entry.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, entry.Name()), text, 0o600); err != nil {
			return err
		}
	}
	for i, name := range p.names {
		text, err := yaml.Marshal(demoSlice(name, p.ports[i]))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func demoSlice(pod string, port int32) *discoveryv1.EndpointSlice {
	yes, no, portName := true, false, "http"
	return &discoveryv1.EndpointSlice{
		TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: pod,
			Labels: map[string]string{discoveryv1.LabelServiceName: "cart"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &portName, Port: &port}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{"127.0.0.1"},
			Conditions: discoveryv1.EndpointConditions{Ready: &yes, Serving: &yes, Terminating: &no},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: pod, UID: types.UID(pod)},
		}},
	}
}
