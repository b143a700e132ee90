package filter

import (
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// service is a Subrequester that returns one response, and keeps the last request.
type service struct {
	resp *Subresponse
	err  error
	last *Subrequest
}

func (s *service) Do(r *Subrequest) (*Subresponse, error) {
	s.last = r
	return s.resp, s.err
}

func authFor(a model.ExternalAuth) (AccessCheck, Filter) {
	m := &model.Route{Path: "/", Filters: &model.Filters{ExternalAuth: &a}}
	return NewExternalAuth(m, nil), NewAuthFields(m)
}

func askedRequest(t testing.TB, s *service, fields ...string) *Request {
	r := requestFor(t, fields...)
	r.Shared = &Shared{Subrequests: s, Decisions: &AuthCache{}}
	return r
}

func TestExternalAuth_outcomes(t *testing.T) {
	for _, c := range []struct {
		resp     *Subresponse
		err      error
		decision AccessDecision
		status   int
	}{
		{&Subresponse{Status: 200}, nil, AccessGranted, 0},
		{&Subresponse{Status: 299}, nil, AccessGranted, 0},
		{&Subresponse{Status: 401}, nil, AccessRefused, 401},
		{&Subresponse{Status: 403}, nil, AccessRefused, 403},
		{&Subresponse{Status: 302}, nil, AccessFailed, 500},
		{&Subresponse{Status: 0}, nil, AccessFailed, 500},
		{nil, errors.New("reset"), AccessFailed, 500},
		{nil, ErrNoEndpoint, AccessFailed, 503},
		{nil, ErrNoPermit, AccessFailed, 503},
		{&Subresponse{Status: 200, Header: http.Header{"X-User": {"a\x00b"}}}, nil, AccessFailed, 500},
		{&Subresponse{Status: 200, Header: http.Header{"Set-Cookie": {"a\nb"}}}, nil, AccessFailed, 500},
	} {
		check, _ := authFor(model.ExternalAuth{URL: "http://auth/", ResponseHeaders: []string{"X-User"}})
		decision, resp := check.CheckAccess(askedRequest(t, &service{resp: c.resp, err: c.err}))
		if decision != c.decision || statusOf(resp) != c.status {
			t.Errorf("%+v, %v: got %d, %+v", c.resp, c.err, decision, resp)
		}
	}
}

func TestExternalAuth_failsClosed(t *testing.T) {
	s := &service{resp: &Subresponse{Status: 200}}
	check, _ := authFor(model.ExternalAuth{URL: "http://auth/$nope"})
	if d, _ := check.CheckAccess(askedRequest(t, s)); d != AccessFailed {
		t.Errorf("an invalid URL: %d", d)
	}
	check, _ = authFor(model.ExternalAuth{URL: "http://auth/", Unavailable: "no Service"})
	r := askedRequest(t, s)
	r.IsDescribed = true
	if d, _ := check.CheckAccess(r); d != AccessFailed {
		t.Errorf("unavailable: %d", d)
	}
	check, _ = authFor(model.ExternalAuth{URL: "http://auth/"})
	if d, _ := check.CheckAccess(requestFor(t)); d != AccessFailed {
		t.Errorf("without a Subrequester: %d", d)
	}
	if d, _ := check.CheckAccess(askedRequest(t, s, "x-limpet-auth-request: 1")); d != AccessFailed || s.last != nil {
		t.Errorf("a request for a decision: %d", d)
	}
	r = askedRequest(t, s)
	r.IsDescribed = true
	if d, _ := check.CheckAccess(r); d != AccessUndecided || s.last != nil {
		t.Errorf("a described request: %d, and the service got %+v", d, s.last)
	}
}

// TestExternalAuth_urls checks that values of the client stay in their place of the URL.
func TestExternalAuth_urls(t *testing.T) {
	for text, want := range map[string]string{
		"https://$host/auth?u=$escaped_request_uri": "https://shop.example/auth?u=%2Fcart",
		"http://auth.ns.svc/$http_x?x":              "http://auth.ns.svc/a%20b%23c%0D?x",
		"http://auth.ns.svc$request_uri":            "http://auth.ns.svc/cart",
	} {
		s := &service{resp: &Subresponse{Status: 200}}
		check, _ := authFor(model.ExternalAuth{URL: text})
		r := askedRequest(t, s)
		r.Head.Add([]byte("X"), []byte("a b#c\r"))
		check.CheckAccess(r)
		if s.last == nil || s.last.URL != want {
			t.Errorf("%s: got %+v, want %s", text, s.last, want)
		}
	}
}

func TestAuthFields_withhold(t *testing.T) {
	_, fields := authFor(model.ExternalAuth{ResponseHeaders: []string{"X-User"}})
	r := requestFor(t)
	fields.(RequestFilter).FilterRequest(r)
	for name, want := range map[string]bool{
		"X-User": true, "x_user": true, "X.USER": true, "x!User": true, "X-User-Id": false, "XUser": false, "Y-User": false,
	} {
		if got := r.WithholdsField([]byte(name)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	r.SetField([]byte("x-user"), []byte("ann"))
	if got := r.ForwardFields(); len(got) != 1 || string(got[0].Value) != "ann" {
		t.Errorf("got %q", got)
	}
	r.Reset()
	if len(r.ForwardFields()) != 0 || r.WithholdsField([]byte("X-User")) {
		t.Error("the next request has fields")
	}
}

func TestAuthFields_allocate(t *testing.T) {
	_, fields := authFor(model.ExternalAuth{ResponseHeaders: []string{"X-User"}})
	r := requestFor(t)
	var head http1.Response
	if n := testing.AllocsPerRun(100, func() { fields.(ResponseFilter).FilterResponse(r, &head) }); n != 0 {
		t.Errorf("a response without cookies: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { r.WithholdsField([]byte("Accept")) }); n != 0 {
		t.Errorf("a request without fields: %v allocations", n)
	}
	if NewAuthFields(&model.Route{}) != nil || NewExternalAuth(&model.Route{}, nil) != nil || NewMirror(&model.Route{}, nil) != nil {
		t.Error("a route without the annotations has filters")
	}
}

func TestCacheTime_cacheControl(t *testing.T) {
	f := &ExternalAuth{model: &model.ExternalAuth{CacheTimes: []model.CacheTime{{Status: 200, For: time.Minute}}}}
	for control, want := range map[string]time.Duration{
		"": time.Minute, "max-age=10": 10 * time.Second, "max-age=3600": time.Minute, "max-age=0": 0, "Private": 0, "max-age=x": 0,
		"public, no-store": 0, `max-age="5"`: 5 * time.Second, "max-age=-1": 0,
	} {
		d, err := newAuthDecision(&Subresponse{Status: 200, Header: http.Header{"Cache-Control": {control}}}, nil)
		if err != nil || f.cacheTime(d) != want {
			t.Errorf("%q: %s, %v", control, f.cacheTime(d), err)
		}
	}
}

// TestExternalAuth_cacheScope checks that a decision is not used after the settings have changed: its fields are in the order of
// the names.
func TestExternalAuth_cacheScope(t *testing.T) {
	s := &service{resp: &Subresponse{Status: 200, Header: http.Header{"X-User": {"admin"}, "X-Role": {"guest"}}}}
	r := askedRequest(t, s, "X-Key: 1")
	for _, names := range [][]string{{"X-User", "X-Role"}, {"X-Role", "X-User"}, {"X-Role"}, {"X-Role", "X-User", "X-Other"}} {
		check, fields := authFor(model.ExternalAuth{
			URL: "http://auth/", ResponseHeaders: names, CacheKey: "$http_x_key",
			CacheTimes: []model.CacheTime{{Status: 200, For: time.Hour}},
		})
		s.last = nil
		for range 2 {
			fields.(RequestFilter).FilterRequest(r)
			check.CheckAccess(r)
			for _, f := range r.ForwardFields() {
				if want := s.resp.Header.Get(string(f.Name)); want != string(f.Value) {
					t.Errorf("%q: %s is %q, want %q", names, f.Name, f.Value, want)
				}
			}
		}
		if s.last == nil {
			t.Errorf("%q: the service was not asked", names)
		}
	}
}

func TestAuthCache_bounds(t *testing.T) {
	var c AuthCache
	now := time.Now()
	large := &authDecision{fields: [][]byte{make([]byte, maxAuthDecisionBytes)}}
	c.put(authKeyOf([]byte("large")), large, now.Add(time.Hour))
	if c.get(authKeyOf([]byte("large")), now) != nil {
		t.Error("a large decision is kept")
	}
	for i := range 3 * maxAuthDecisions {
		c.put(authKeyOf([]byte(strconv.Itoa(i))), &authDecision{status: 200}, now.Add(time.Hour))
	}
	if len(c.entries) > maxAuthDecisions || c.bytes > maxAuthCacheBytes || len(c.entries) < maxAuthDecisions/2 {
		t.Errorf("%d entries with %d bytes", len(c.entries), c.bytes)
	}
	key := authKeyOf([]byte("short"))
	c.put(key, &authDecision{status: 200}, now.Add(time.Second))
	if c.get(key, now) == nil || c.get(key, now.Add(time.Second)) != nil {
		t.Error("the time of a decision is not kept")
	}
}

func TestAppendVariable(t *testing.T) {
	r := requestFor(t, "Cookie: a=1; sid = x y ;sid=2", "X-Two: 1", "X-Two: 2", "Authorization: basic YW5uOnB3")
	r.Authority, r.ClientIP = []byte("Shop.Example:8080"), netip.MustParseAddr("192.0.2.1")
	r.Head.Query, r.Head.HasQuery = []byte("p=1&Page=a%20b&page=c"), true
	for text, want := range map[string]string{
		"$host $best_http_host $scheme": "shop.example Shop.Example:8080 http", "$request_uri": "/cart?p=1&Page=a%20b&page=c",
		"$escaped_request_uri": "%2Fcart%3Fp%3D1%26Page%3Da%2520b%26page%3Dc", "$uri|$args": "/cart|p=1&Page=a%20b&page=c",
		"$request_method": "GET", "$remote_addr": "192.0.2.1", "$binary_remote_addr": "\xc0\x00\x02\x01", "$remote_user": "ann",
		"$arg_page|$arg_none": "a%20b|", "$cookie_sid|$cookie_none": "x y|", "$http_x_two|$http_none": "1, 2|",
	} {
		parsed, err := variable.Parse(text)
		if err != nil || string(parsed.Append(nil, r, nil)) != want {
			t.Errorf("%s: got %q, %v; want %q", text, parsed.Append(nil, r, nil), err, want)
		}
	}
	for _, bad := range []string{"basic !", "basic YW5u", "Bearer YW5uOnB3", "basic " + "YQphOmI=", "basic"} {
		if got := appendUser(nil, []byte(bad)); len(got) != 0 {
			t.Errorf("%s: got %q", bad, got)
		}
	}
}

func TestBodyCopy_bounds(t *testing.T) {
	dropped := 0
	c := NewCopies(&service{resp: &Subresponse{}}, func() { dropped++ })
	var none *BodyCopy
	none.Add([]byte("x"))
	none.End()
	none.Abort()
	active := 0
	for c.begin("shop") {
		active++
	}
	if active != maxCopies/2 || dropped != 1 || !c.begin("blog") {
		t.Errorf("one copy too many: dropped %d, active %d", dropped, active)
	}
	b := &BodyCopy{copies: c, request: &Subrequest{Namespace: "shop"}}
	b.Add([]byte(strings.Repeat("x", maxCopyBytes)))
	if b.Add([]byte("x")); dropped != 2 || c.bytes.Held("shop") != 0 {
		t.Errorf("a body that is too long: dropped %d, bytes %d", dropped, c.bytes.Held("shop"))
	}
	b.Abort()
	b.End()
	if dropped != 2 || c.active.Held("shop") != maxCopies/2-1 {
		t.Errorf("a copy was counted twice: dropped %d, active %d", dropped, c.active.Held("shop"))
	}
	b = &BodyCopy{copies: c, request: &Subrequest{Namespace: "shop"}}
	b.Add([]byte("x"))
	if b.Abort(); dropped != 3 || c.bytes.Held("shop") != 0 {
		t.Errorf("an aborted body: dropped %d, bytes %d", dropped, c.bytes.Held("shop"))
	}
	for c.bytes.Take("shop", 1<<20) {
	}
	b = &BodyCopy{copies: c, request: &Subrequest{Namespace: "shop"}}
	if b.Add([]byte("x")); dropped != 4 || c.bytes.Held("shop") != maxCopiesSize/2 {
		t.Errorf("bodies of one namespace: dropped %d, bytes %d", dropped, c.bytes.Held("shop"))
	}
	b = &BodyCopy{copies: c, request: &Subrequest{Namespace: "blog"}}
	if b.Add([]byte("x")); dropped != 4 || c.bytes.Held("blog") != 1 {
		t.Errorf("bodies of another one: dropped %d, bytes %d", dropped, c.bytes.Held("blog"))
	}
}
