package ingressnginx

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
)

// The vector of persistent cookies is computed from the sources of ingress-nginx.
func TestBalancer_persistentKey(t *testing.T) {
	b := &balancer{Backend: Backend{Name: "default-http-svc-80"}, addresses: []string{"10.0.0.4:8080", "10.0.0.5:8080"}}
	if got := b.find("dff8f26d85867582fc6052e4fc181905"); got != "10.0.0.5:8080" {
		t.Errorf("address = %q", got)
	}
	if got := b.mark(); got != "5a881deec44117eee2efd3540198e203" {
		t.Errorf("mark = %q", got)
	}
}

// Clients stay while nothing changes. With one more pod, only balanced moves some of them.
func TestController_stickiness(t *testing.T) {
	var addresses []string
	for i := range 4 {
		pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, i) }))
		t.Cleanup(pod.Close)
		addresses = append(addresses, pod.Listener.Addr().String())
	}
	for _, balanced := range []bool{false, true} {
		c := New()
		server := httptest.NewServer(c)
		t.Cleanup(server.Close)
		host := server.Listener.Addr().String()
		b := Backend{Name: "shop-cart-80", Balanced: balanced, Cookie: "route"}
		c.Serve(host, b, addresses[:3])
		clients, pods := make([]*http.Client, 100), make([]string, 100)
		for i := range clients {
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			clients[i] = &http.Client{Jar: jar}
			pods[i] = ask(t, clients[i], server.URL)
		}
		moved := func() (n int) {
			for i := range clients {
				if ask(t, clients[i], server.URL) != pods[i] {
					n++
				}
			}
			return n
		}
		if n := moved(); n > 0 {
			t.Errorf("balanced %v: %d clients moved", balanced, n)
		}
		c.Serve(host, b, addresses)
		if n := moved(); (n > 0) != balanced || n > 60 {
			t.Errorf("balanced %v: %d clients moved with one more pod", balanced, n)
		}
	}
}

func ask(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	pod, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	return string(pod)
}
