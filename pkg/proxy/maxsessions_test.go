package proxy

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestMaxSessions_overflow(t *testing.T) {
	r := newRig(t)
	affinity := cookieAffinity()
	affinity.MaxSessions, affinity.RefuseWhenFull = 2, true
	affinity.Unavailable.Status, affinity.Unavailable.RetryAfter = 503, 7*time.Second
	r.serve(affinity, startEcho(t, "a"), startEcho(t, "b"))
	var cookies []string
	for range 4 {
		cookies = append(cookies, r.dial().get("/").cookie(t))
	}
	refused := r.dial().get("/")
	refused.expectStatus(t, 503)
	if refused.header.Get("Retry-After") != "7" || refused.cookie(t) != "" {
		t.Errorf("refused with %v", refused.header)
	}
	for _, cookie := range cookies {
		r.dial().get("/", cookie).expectOK(t, "")
	}
}

func TestMaxSessions_refusal(t *testing.T) {
	r := newRig(t)
	affinity := cookieAffinity()
	affinity.MaxSessions, affinity.RefuseWhenFull = 1, true
	affinity.Unavailable.Status = 503
	affinity.Refuse = model.Refusal{Status: 429, RetryAfter: time.Minute}
	r.serve(affinity, startEcho(t, "a"))
	r.dial().get("/").expectOK(t, "")
	refused := r.dial().get("/")
	refused.expectStatus(t, 429)
	if refused.header.Get("Retry-After") != "60" {
		t.Errorf("refused with %v", refused.header)
	}
}

func TestMaxSessions_freedAtLogout(t *testing.T) {
	for name, field := range map[string]string{
		"released":        "Limpet-Release-Session: true",
		"clear-site-data": `Clear-Site-Data: "cache", "cookies"`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			affinity := cookieAffinity()
			affinity.MaxSessions, affinity.RefuseWhenFull = 1, true
			affinity.Unavailable.Status = 503
			r.serve(affinity, startPod(t, "a", func(c *podConn) {
				for req := c.request(); req != nil; req = c.request() {
					extra := ""
					if req.URL.Path == "/logout" {
						extra = field + "\r\n"
					}
					c.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + extra + "\r\n")
				}
			}))
			cookie := r.dial().get("/").cookie(t)
			r.dial().get("/", cookie).expectOK(t, "")
			r.dial().get("/").expectStatus(t, 503)
			r.dial().get("/logout", cookie).expectOK(t, "")
			r.dial().get("/").expectOK(t, "")
		})
	}
}
