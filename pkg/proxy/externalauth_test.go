package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
)

// authService is the Service that decides about requests.
var authService = model.PoolID{Namespace: "auth", Service: "oauth2-proxy", Port: 4180}

// authRig serves cart behind a service that runs a script on each connection, which reads one request first.
func authRig(t *testing.T, script func(*podConn, string), change func(*model.ExternalAuth)) (r *rig, app, auth *pod) {
	t.Helper()
	r = newRig(t, quick(func(o *exchange.Timeouts) { o.Response = 2 * time.Second }))
	app = startEcho(t, "app")
	auth = startPod(t, "auth", func(c *podConn) {
		for head := c.head(); head != ""; head = c.head() {
			script(c, head)
		}
	})
	r.replace(cart, app.endpoint(model.EndpointReady))
	r.replace(authService, auth.endpoint(model.EndpointReady))
	settings := &model.ExternalAuth{
		URL: "http://oauth2-proxy.auth.svc.cluster.local:4180/auth", Service: &authService, ResponseHeaders: []string{"X-User"},
	}
	if change != nil {
		change(settings)
	}
	route := routeTo(cart, nil)
	route.Filters = &model.Filters{ExternalAuth: settings}
	r.publish(route)
	return r, app, auth
}

// says returns a script that responds with a head and a body as they are.
func says(head, body string) func(*podConn, string) {
	return func(c *podConn, _ string) {
		c.say(fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body))
	}
}

func TestExternalAuth_admits(t *testing.T) {
	r, app, auth := authRig(t, says("202 Accepted\r\nX-User: ann\r\nSet-Cookie: s=2; Path=/\r\nSet-Cookie: t=3", "ignored"), nil)
	got := r.dial().post("/a/../b%7e//c?q=%20&x", "body", "X-User: root", "X_User: root", "x-user: root", "Cookie: s=1",
		"X-Original-URL: http://other/", "X_Original_URI: /other", "X-Forwarded-For: 1.1.1.1", "Ssl-Client-Verify: SUCCESS",
		"If-None-Match: x", "Range: bytes=0-1", "Authorization: Bearer y", "X-Forwarded-User: root")
	got.expectOK(t, "body")
	if cookies := got.header.Values("Set-Cookie"); strings.Join(cookies, ",") != "s=2; Path=/,t=3" {
		t.Errorf("the client got the cookies %q", cookies)
	}
	decision := auth.requests()[0]
	for _, want := range []string{
		"GET /auth HTTP/1.1\r\n", "\r\nHost: oauth2-proxy.auth.svc.cluster.local\r\n", "\r\nCookie: s=1\r\n",
		"\r\nX-Original-Url: http://shop.example/b~//c?q=%20&x\r\n", "\r\nX-Original-Uri: /b~//c?q=%20&x\r\n",
		"\r\nX-Original-Method: POST\r\n", "\r\nX-Real-Ip: 127.0.0.1\r\n", "\r\nX-Forwarded-For: 127.0.0.1\r\n",
		"\r\nX-Auth-Request-Redirect: /b~//c?q=%20&x\r\n", "\r\nX-Sent-From: nginx-ingress-controller\r\n",
		"\r\nAuthorization: Bearer y\r\n", "\r\nX-Request-Id: ",
	} {
		if !strings.Contains(decision, want) {
			t.Errorf("the service got no %q in %q", want, decision)
		}
	}
	for _, wrong := range []string{"Content-Length", "Ssl-Client", "If-None", "Range:", "/other", "1.1.1.1", "X_User", "X-Forwarded-User"} {
		if strings.Contains(decision, wrong) {
			t.Errorf("the service got %q in %q", wrong, decision)
		}
	}
	head := app.requests()[0]
	if strings.Count(strings.ToLower(head), "user") != 1 || !strings.Contains(head, "\r\nX-User: ann\r\n") {
		t.Errorf("the pod got %q", head)
	}
}

func TestExternalAuth_refuses(t *testing.T) {
	challenge := "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: Bearer\r\nSet-Cookie: s=1"
	r, app, _ := authRig(t, says(challenge, "page"), nil)
	got := r.dial().get("/")
	got.expectStatus(t, 401)
	if challenges := got.header.Values("Www-Authenticate"); len(challenges) != 2 {
		t.Errorf("the challenges are %q", challenges)
	}
	if got.header.Get("Set-Cookie") != "" || strings.Contains(got.body, "page") {
		t.Errorf("got %+v", got)
	}
	if n := len(app.requests()); n != 0 {
		t.Errorf("the pod got %d requests", n)
	}
}

func TestExternalAuth_signIn(t *testing.T) {
	r, _, _ := authRig(t, says("401 Unauthorized\r\nSet-Cookie: csrf=1", ""), func(a *model.ExternalAuth) {
		a.SignIn = "https://$host/oauth2/start?rd=$pass_access_scheme://$http_host$escaped_request_uri"
	})
	got := r.dial().get("/a/b?c=d&e=%0d%0a")
	got.expectStatus(t, 302)
	want := "https://shop.example/oauth2/start?rd=http://shop.example%2Fa%2Fb%3Fc%3Dd%26e%3D%250d%250a"
	if got.header.Get("Location") != want || got.header.Get("Set-Cookie") != "csrf=1" {
		t.Errorf("got %v", got.header)
	}
}

// TestExternalAuth_broken has services that fail as real ones do. None of them opens the route.
func TestExternalAuth_broken(t *testing.T) {
	for name, c := range map[string]struct {
		script func(*podConn, string)
		want   int
	}{
		"403":           {says("403 Forbidden", "no"), 403},
		"404":           {says("404 Not Found", ""), 500},
		"500":           {says("500 Internal Server Error", ""), 500},
		"redirect loop": {says("302 Found\r\nLocation: /auth", ""), 500},
		"304":           {says("304 Not Modified", ""), 500},
		"101":           {says("101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade", ""), 500},
		"slow head":     {func(c *podConn, _ string) { c.untilClosed() }, 500},
		"reset":         {func(c *podConn, _ string) { c.reset() }, 500},
		"half a head":   {func(c *podConn, _ string) { c.say("HTTP/1.1 200 OK\r\nX-User: an"); c.reset() }, 500},
		"no HTTP":       {func(c *podConn, _ string) { c.say("220 smtp.example ESMTP\r\n") }, 500},
		"huge head":     {says("200 OK\r\nX-User: "+strings.Repeat("a", 200_000), ""), 500},
		"huge body":     {says("200 OK", strings.Repeat("x", 1<<20)), 200},
		"chunked body": {func(c *podConn, _ string) {
			c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
		}, 200},
		"body that hangs": {func(c *podConn, _ string) { c.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na") }, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, app, _ := authRig(t, c.script, nil)
			r.dial().get("/").expectStatus(t, c.want)
			if n := len(app.requests()); (n > 0) != (c.want == 200) {
				t.Errorf("the pod got %d requests", n)
			}
		})
	}
}

func TestExternalAuth_noService(t *testing.T) {
	r, app, _ := authRig(t, says("200 OK", ""), nil)
	r.replace(authService)
	got := r.dial().get("/")
	got.expectStatus(t, 503)
	r.replace(authService, deadPod(t, "dead").endpoint(model.EndpointReady))
	r.dial().get("/").expectStatus(t, 500)
	if n := len(app.requests()); n != 0 {
		t.Errorf("the pod got %d requests", n)
	}
}

func TestExternalAuth_unavailable(t *testing.T) {
	r, _, auth := authRig(t, says("200 OK", ""), func(a *model.ExternalAuth) { a.Unavailable = "the Service does not exist" })
	r.dial().get("/").expectStatus(t, 503)
	if n := len(auth.requests()); n != 0 {
		t.Errorf("the service got %d requests", n)
	}
}

// TestExternalAuth_loop has a service behind the route that it protects.
func TestExternalAuth_loop(t *testing.T) {
	var asked atomic.Int32
	r, _, _ := authRig(t, says("200 OK", ""), nil)
	self := startPod(t, "self", func(c *podConn) {
		for head := c.head(); head != ""; head = c.head() {
			asked.Add(1)
			caller := r.dial()
			caller.send(strings.Replace(head, "Host: oauth2-proxy.auth.svc.cluster.local", "Host: shop.example", 1))
			c.say(fmt.Sprintf("HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n", caller.read("GET").status))
		}
	})
	r.replace(authService, self.endpoint(model.EndpointReady))
	r.dial().get("/").expectStatus(t, 500)
	if n := asked.Load(); n != 1 {
		t.Errorf("the service was asked %d times", n)
	}
}

func TestExternalAuth_challengePath(t *testing.T) {
	r, _, auth := authRig(t, says("401 Unauthorized", ""), nil)
	open, closed := routeTo(cart, nil), routeTo(cart, nil)
	open.Path = "/.well-known/acme-challenge/token"
	open.Filters = &model.Filters{ExternalAuth: &model.ExternalAuth{URL: "http://oauth2-proxy.auth.svc/", Service: &authService}}
	closed.Filters = open.Filters
	r.publish(closed, open)
	r.dial().get("/.well-known/acme-challenge/token").expectStatus(t, 200)
	r.dial().get("/.well-known/acme-challenge/other").expectStatus(t, 401)
	if n := len(auth.requests()); n != 1 {
		t.Errorf("the service got %d requests", n)
	}
}

func TestExternalAuth_cache(t *testing.T) {
	byToken := func(c *podConn, head string) {
		switch {
		case strings.Contains(head, "Bearer good"):
			says("200 OK\r\nX-User: ann", "")(c, head)
		case strings.Contains(head, "Bearer private"):
			says("200 OK\r\nCache-Control: max-age=3600, private", "")(c, head)
		case strings.Contains(head, "Bearer cookie"):
			says("200 OK\r\nSet-Cookie: a=b", "")(c, head)
		case strings.Contains(head, "Bearer broken"):
			says("500 x", "")(c, head)
		default:
			says("401 Unauthorized\r\nWWW-Authenticate: Bearer", "")(c, head)
		}
	}
	for token, c := range map[string]struct{ status, asked int }{
		"good": {200, 1}, "bad": {401, 1}, "private": {200, 3}, "cookie": {200, 3}, "broken": {500, 3}, "": {401, 3},
	} {
		t.Run("token "+token, func(t *testing.T) {
			r, app, auth := authRig(t, byToken, func(a *model.ExternalAuth) {
				a.CacheKey = "$http_authorization"
				a.CacheTimes = []model.CacheTime{{Status: 200, For: time.Hour}, {Status: 401, For: time.Hour}}
			})
			for range 3 {
				var lines []string
				if token != "" {
					lines = append(lines, "Authorization: Bearer "+token)
				}
				got := r.dial().get("/", lines...)
				got.expectStatus(t, c.status)
				if c.status == 401 && got.header.Get("Www-Authenticate") != "Bearer" {
					t.Errorf("no challenge in %v", got.header)
				}
			}
			if n := len(auth.requests()); n != c.asked {
				t.Errorf("the service got %d requests, want %d", n, c.asked)
			}
			for _, head := range app.requests() {
				if token == "good" && !strings.Contains(head, "\r\nX-User: ann\r\n") {
					t.Errorf("the pod got %q", head)
				}
			}
		})
	}
}

func TestExternalAuth_alwaysSetCookie(t *testing.T) {
	for _, always := range []bool{false, true} {
		r, _, _ := authRig(t, says("200 OK\r\nSet-Cookie: a=b", ""), func(a *model.ExternalAuth) { a.AlwaysSetCookie = always })
		failing := startBackend(t, nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
		r.replace(cart, model.Endpoint{ID: "f", Address: addressOf(failing), State: model.EndpointReady})
		if got := r.dial().get("/"); (got.header.Get("Set-Cookie") != "") != always {
			t.Errorf("always %v: got %v", always, got.header)
		}
	}
}

// TestExternalAuth_trailers checks that a client cannot send a field of the service after its body.
func TestExternalAuth_trailers(t *testing.T) {
	r, _, _ := authRig(t, says("200 OK\r\nX-User: ann", ""), nil)
	trailers := make(chan http.Header, 1)
	app := startBackend(t, nil, func(_ http.ResponseWriter, q *http.Request) {
		_, _ = q.Body.Read(make([]byte, 10))
		for {
			if _, err := q.Body.Read(make([]byte, 10)); err != nil {
				break
			}
		}
		trailers <- q.Trailer
	})
	r.replace(cart, model.Endpoint{ID: "t", Address: addressOf(app), State: model.EndpointReady})
	c := r.dial()
	c.send("POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-User, X-Sum\r\n\r\n" +
		"1\r\na\r\n0\r\nX-User: root\r\nX-Sum: 1\r\n\r\n")
	c.read("POST").expectStatus(t, 200)
	if got := <-trailers; got.Get("X-User") != "" || got.Get("X-Sum") != "1" {
		t.Errorf("the pod got the trailers %v", got)
	}
}
