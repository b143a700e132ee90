//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
)

// front is the Service whose address the clients use, as a company moves it from one controller to the other by its selector.
// The model of ingress-nginx runs on the host, so its endpoint is in an EndpointSlice.
type front struct {
	*cluster
	model string // address of the model
}

const (
	frontPort  = ":30090" // NodePort of the Service
	frontPorts = `"ports":[{"name":"http","port":80,"targetPort":"http","nodePort":30090}]`
)

// hostAddress returns the address by which the node reaches this process.
func (c *cluster) hostAddress(t *testing.T) string {
	t.Helper()
	conn, err := net.Dial("udp", c.node+":9") // sends nothing
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).IP.String()
}

func newFront(t *testing.T, c *cluster, model string) *front {
	t.Helper()
	f := &front{c, model}
	f.apply(t, namespace, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"front"},`+
		`"spec":{"type":"NodePort",`+frontPorts+`}}`)
	f.selectModel(t)
	return f
}

// toNginx moves the Service back to the model.
func (f *front) toNginx(t *testing.T) {
	t.Helper()
	f.kubectl(t, "patch", "service", "front", "--namespace", namespace, "--type=json",
		"--patch", `[{"op":"remove","path":"/spec/selector"}]`)
	f.kubectl(t, "delete", "endpointslices", "--namespace", namespace, "--selector=kubernetes.io/service-name=front")
	f.selectModel(t)
}

func (f *front) selectModel(t *testing.T) {
	t.Helper()
	host, port, err := net.SplitHostPort(f.model)
	if err != nil {
		t.Fatal(err)
	}
	f.apply(t, namespace, fmt.Sprintf(`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",`+
		`"metadata":{"name":"front-model","labels":{"kubernetes.io/service-name":"front"}},`+
		`"endpoints":[{"addresses":[%q],"conditions":{"ready":true}}],"ports":[{"name":"http","port":%s}]}`, host, port))
	f.await(t, "")
}

// toLimpet moves the Service to the pods of a release of Limpet.
func (f *front) toLimpet(t *testing.T, release string) {
	t.Helper()
	f.kubectl(t, "delete", "endpointslice", "front-model", "--namespace", namespace)
	f.kubectl(t, "patch", "service", "front", "--namespace", namespace, "--type=merge",
		"--patch", `{"spec":{"selector":{"app.kubernetes.io/instance":"`+release+`"}}}`)
	f.await(t, "limpet")
}

// await waits until new connections reach the controller whose responses have this Server field.
func (f *front) await(t *testing.T, server string) {
	t.Helper()
	transport.CloseIdleConnections()
	eventually(t, func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.node+frontPort+"/", nil)
		if err != nil {
			return err
		}
		r.Host, r.Close = modes[0]+".example.com", true
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Server"); got != server || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the response %d is from %q, want %q", resp.StatusCode, got, server)
		}
		return nil
	})
}
