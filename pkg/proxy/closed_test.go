package proxy

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// publishClosed serves every path of every host by the pod, except /admin, whose route is closed. It has a backend and a
// canary that could serve it.
func (r *rig) publishClosed(p *pod) {
	r.replace(cart, endpointsOf(p)...)
	r.replace(blog, endpointsOf(p)...)
	closed := routeTo(cart, cookieAffinity())
	closed.Path, closed.Closed = "/admin", "annotation auth-url is not enforced"
	closed.Backends = append(closed.Backends, model.Backend{Pool: blog, Weight: 1})
	closed.Canary = &model.Canary{Header: "Canary"}
	r.publish(routeTo(cart, nil), closed)
}

func TestClosed_denied(t *testing.T) {
	var lines logLines
	log := observe.NewAccessLog(&lines, observe.AccessLogOptions{JSON: true})
	r := newRig(t, func(o *Options) { o.AccessLog = log })
	p := startEcho(t, "pod-a")
	r.publishClosed(p)
	c := r.dial()
	for _, got := range []*response{
		c.get("/admin"), c.get("/admin/"), c.get("/admin/users"), c.get("/%61dmin"), c.get("/x/../admin"),
		c.get("/admin", "Canary: always"), c.post("/admin", "body"),
	} {
		got.expectStatus(t, 503)
		if got.body != "This route is not available."+"\n" || got.header.Get("Set-Cookie") != "" || got.header.Get("Retry-After") != "" {
			t.Errorf("the response has %v %q", got.header, got.body)
		}
	}
	if sent := p.requests(); len(sent) > 0 {
		t.Errorf("the pod received %q", sent)
	}
	c.get("/administrator").expectStatus(t, 200)
	c.get("/").expectStatus(t, 200)
	r.expectMetric("limpet_closed_requests_total", 7)
	c.Close()
	eventually(t, "all to be over", r.server.conns.empty)
	log.Close()
	for _, line := range lines.parsed(t) {
		if closed := line["status"] == 503.0; (line["closed"] == true) != closed || closed && line["pool"] != "" {
			t.Errorf("the log has %v", line)
		}
	}
}

func TestUnlogged_route(t *testing.T) {
	var lines logLines
	log := observe.NewAccessLog(&lines, observe.AccessLogOptions{JSON: true})
	r := newRig(t, func(o *Options) { o.AccessLog = log })
	r.replace(cart, endpointsOf(startEcho(t, "pod-a"))...)
	quiet := routeTo(cart, nil)
	quiet.Path, quiet.IsUnlogged = "/health", true
	r.publish(routeTo(cart, nil), quiet)
	c := r.dial()
	c.get("/health").expectStatus(t, 200)
	c.get("/shop").expectStatus(t, 200)
	c.Close()
	eventually(t, "all to be over", r.server.conns.empty)
	log.Close()
	if all := lines.parsed(t); len(all) != 1 || all[0]["path"] != "/shop" {
		t.Errorf("the log has %v", all)
	}
}

func TestClosed_overHTTP2(t *testing.T) {
	r := newRig(t)
	r.publishClosed(startEcho(t, "pod-a"))
	for path, want := range map[string]int{"/admin/users": 503, "/open": 200} {
		resp, err := http2Client(t).Get("http://" + r.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
	}
}
