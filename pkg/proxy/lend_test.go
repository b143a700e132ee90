package proxy

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/certificates"
)

func TestNotReady_lend(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "a"), startEcho(t, "b")
	affinity := cookieAffinity()
	affinity.Unavailable.NotReady = model.NotReadyLend
	affinity.MovedHeader = "X-Moved"
	r.serve(affinity, a)
	c := r.dial()
	cookie := c.get("/").cookie(t)
	for range 2 {
		r.replace(cart, a.endpoint(model.EndpointNotReady), b.endpoint(model.EndpointReady))
		for range 3 {
			if lent := c.get("/", cookie); lent.header.Get("X-Pod") != "b" || lent.cookie(t) != "" {
				t.Fatalf("not ready: pod %s, cookie %q; want b and no cookie", lent.header.Get("X-Pod"), lent.cookie(t))
			}
		}
		r.replace(cart, endpointsOf(a, b)...)
		if back := c.get("/", cookie); back.header.Get("X-Pod") != "a" || back.cookie(t) != "" {
			t.Fatalf("ready again: pod %s, cookie %q; want a and no cookie", back.header.Get("X-Pod"), back.cookie(t))
		}
	}
	expectFields(t, b.requests()[0], "X-Moved: lent")
	r.expectMetric(`limpet_affinity_decisions_total{outcome="lent",pool="shop/cart:80",reason="lent"}`, 6)
	r.replace(cart, b.endpoint(model.EndpointReady))
	if gone := c.get("/", cookie); gone.header.Get("X-Pod") != "b" || gone.cookie(t) == "" {
		t.Errorf("gone: pod %s, cookie %q; want b and a new cookie", gone.header.Get("X-Pod"), gone.cookie(t))
	}
}

func TestNotReady_wait(t *testing.T) {
	for name, c := range map[string]struct {
		next func(a, b *pod) []model.Endpoint // endpoints after the pod was not ready
		pod  string
	}{
		"ready again": {func(a, b *pod) []model.Endpoint { return endpointsOf(a, b) }, "a"},
		"gone":        {func(_, b *pod) []model.Endpoint { return endpointsOf(b) }, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			r, a, b, cookie := notReadyRig(t, testTimeout)
			waiting := make(chan *response)
			go func() {
				got, _ := r.dialAndAsk(request("GET", "/", "", cookie))
				waiting <- got
			}()
			r.replace(cart, a.endpoint(model.EndpointNotReady)) // another change does not end the wait
			r.replace(cart, a.endpoint(model.EndpointNotReady), b.endpoint(model.EndpointReady))
			r.replace(cart, c.next(a, b)...)
			if got := <-waiting; got == nil || got.header.Get("X-Pod") != c.pod {
				t.Errorf("served by %+v, want %s", got, c.pod)
			}
		})
	}
}

func TestNotReady_waitEnds(t *testing.T) {
	const longest = 50 * time.Millisecond
	r, _, _, cookie := notReadyRig(t, longest)
	began := time.Now()
	got := r.dial().get("/", cookie)
	if got.header.Get("X-Pod") != "b" || got.cookie(t) == "" || time.Since(began) < longest {
		t.Errorf("after %s served by %s with %q", time.Since(began), got.header.Get("X-Pod"), got.cookie(t))
	}
}

// notReadyRig serves a policy that waits. The cookie is a session of a, which is not ready, and b is ready.
func notReadyRig(t *testing.T, longest time.Duration) (r *rig, a, b *pod, cookie string) {
	t.Helper()
	r, a, b = newRig(t), startEcho(t, "a"), startEcho(t, "b")
	affinity := cookieAffinity()
	affinity.Unavailable.NotReady, affinity.Unavailable.Wait = model.NotReadyWait, longest
	r.serve(affinity, a)
	cookie = r.dial().get("/").cookie(t)
	r.replace(cart, a.endpoint(model.EndpointNotReady), b.endpoint(model.EndpointReady))
	return r, a, b, cookie
}

// compositeRoute returns a route to cart that hashes these parts.
func compositeRoute(parts ...model.Part) model.Route {
	affinity := cookieAffinity()
	affinity.Methods = []model.Method{{Source: model.SourceComposite, Binding: model.BindingHashed, Parts: parts}}
	return routeTo(cart, affinity)
}

func TestComposite_claimOverRefresh(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "a"), startEcho(t, "b"), startEcho(t, "c"))
	r.publish(compositeRoute(model.Part{Source: model.SourceHost}, model.Part{
		Source: model.SourceHeader, Header: &model.Header{Name: "Authorization"}, JWTClaim: "sub",
	}))
	c := r.dial()
	pods := map[string]bool{}
	for n := range 20 {
		user := "user-" + strings.Repeat("x", n)
		var first string
		for refresh := range 5 {
			payload := `{"iat":` + big.NewInt(int64(1795000000+refresh)).String() + `,"sub":"` + user + `"}`
			token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
			pod := c.get("/", "Authorization: Bearer "+token).header.Get("X-Pod")
			if first == "" {
				first = pod
			}
			if pod != first {
				t.Fatalf("%s moved from %s to %s with a new token", user, first, pod)
			}
		}
		pods[first] = true
	}
	if len(pods) != 3 {
		t.Errorf("20 users are on the pods %v, want all three", pods)
	}
}

func TestCertificateHash_renewal(t *testing.T) {
	partners := newAuthority(t, "partners")
	alice := pkix.Name{CommonName: "alice"}
	hash := func(name pkix.Name, change ...func(*x509.Certificate)) string {
		template := x509.Certificate{Subject: name}
		for _, c := range change {
			c(&template)
		}
		return string(certificateHash(certificates.Signed(t, template, nil, partners.pair).Leaf))
	}
	dns := func(c *x509.Certificate) { c.DNSNames = []string{"alice.example"} }
	if hash(alice) != hash(alice, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(4711) }) {
		t.Error("a renewed certificate has another hash")
	}
	if hash(alice) == hash(pkix.Name{CommonName: "bob"}) || hash(alice) == hash(alice, dns) {
		t.Error("certificates with other names have the same hash")
	}
}
