package proxy

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// servePods makes n pods that run the handler the endpoints of cart. The handler gets the name of its pod.
func (r *rig) servePods(a *model.Affinity, n int, handler func(name string, w http.ResponseWriter, q *http.Request)) {
	r.t.Helper()
	var endpoints []model.Endpoint
	for i := range n {
		name := fmt.Sprintf("cart-%d", i)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { handler(name, w, q) }))
		r.t.Cleanup(server.Close)
		endpoints = append(endpoints, model.Endpoint{
			ID: "uid-" + name, Pod: name, Address: server.Listener.Addr().String(), State: model.EndpointReady,
		})
	}
	r.replace(cart, endpoints...)
	r.publish(routeTo(cart, a))
}

// http2Client speaks only HTTP/2: in cleartext with prior knowledge, or over TLS.
func http2Client(t testing.TB) *http.Client {
	t.Helper()
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols:          &protocols,
		DisableCompression: true,
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true},
	}
	t.Cleanup(transport.CloseIdleConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: transport, Jar: jar}
}

// received is a response that was read to its end.
type received struct {
	major           int
	header, trailer http.Header
	cookies         []*http.Cookie
	body            string
}

func do(t testing.TB, c *http.Client, q *http.Request) received {
	t.Helper()
	answer, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return received{answer.ProtoMajor, answer.Header, answer.Trailer, answer.Cookies(), string(body)}
}

func newRequest(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func sayName(name string, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }

func TestHTTP2_sticky(t *testing.T) {
	r := newRig(t)
	r.servePods(cookieAffinity(), 3, sayName)
	secure := r.listen(r.server.ServeTLS)
	for _, url := range []string{"http://" + r.addr + "/", "https://" + secure + "/"} {
		c := http2Client(t)
		first := do(t, c, newRequest(t, http.MethodGet, url, nil))
		if first.major != 2 || len(first.cookies) != 1 {
			t.Fatalf("%s: got a response in HTTP/%d with %d cookies", url, first.major, len(first.cookies))
		}
		if got := first.cookies[0].Secure; got != strings.HasPrefix(url, "https") {
			t.Errorf("%s: the cookie is secure: %v", url, got)
		}
		for range 10 {
			again := do(t, c, newRequest(t, http.MethodGet, url, nil))
			if again.body != first.body || len(again.cookies) != 0 {
				t.Fatalf("%s: moved from %s to %s with %d cookies", url, first.body, again.body, len(again.cookies))
			}
		}
	}
}

func TestHTTP2_stickyPerStream(t *testing.T) {
	r := newRig(t)
	r.servePods(affinityBy(headerMethod("X-Session-Id")), 3, sayName)
	c := http2Client(t)
	pods := sync.Map{}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			session := fmt.Sprintf("session-%d", i%20)
			q := newRequest(t, http.MethodGet, "http://"+r.addr+"/", nil)
			q.Header.Set("X-Session-Id", session)
			answer, err := c.Do(q)
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			pod, _ := io.ReadAll(answer.Body)
			if before, seen := pods.LoadOrStore(session, string(pod)); seen && before != string(pod) {
				t.Errorf("%s went to %s and to %s", session, before, pod)
			}
		})
	}
	all.Wait()
	used := map[any]bool{}
	pods.Range(func(_, pod any) bool { used[pod] = true; return true })
	if len(used) != 3 {
		t.Errorf("%d pods were used, want 3", len(used))
	}
}

func TestHTTP2_bodiesAndTrailers(t *testing.T) {
	r := newRig(t)
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("X-Length", fmt.Sprint(q.ContentLength))
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		n, _ := io.Copy(w, q.Body)
		w.Header().Set("X-Sum", fmt.Sprintf("%d %s", n, q.Trailer.Get("X-Check")))
	})
	c := http2Client(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for name, length := range map[string]int64{"known length": int64(len(sent)), "unknown length": -1} {
		q := newRequest(t, http.MethodPost, "http://"+r.addr+"/", bytes.NewReader(sent))
		q.ContentLength = length
		if length < 0 {
			q.Trailer = http.Header{"X-Check": {"done"}}
		}
		got := do(t, c, q)
		if got.body != string(sent) || got.header.Get("X-Length") != fmt.Sprint(length) {
			t.Errorf("%s: %d of %d bytes came back; the pod saw length %s", name, len(got.body), len(sent), got.header.Get("X-Length"))
		}
		want := strings.TrimSpace(fmt.Sprintf("%d %s", len(sent), q.Trailer.Get("X-Check")))
		if sum := got.trailer.Get("X-Sum"); sum != want {
			t.Errorf("%s: trailer %q, want %q", name, sum, want)
		}
	}
}

func TestHTTP2_responseStreams(t *testing.T) {
	r := newRig(t)
	more := make(chan struct{})
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, _ *http.Request) {
		for _, event := range []string{"one\n", "two\n"} {
			fmt.Fprint(w, event)
			w.(http.Flusher).Flush()
			<-more
		}
	})
	answer, err := http2Client(t).Do(newRequest(t, http.MethodGet, "http://"+r.addr+"/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	buf := make([]byte, 4)
	for _, want := range []string{"one\n", "two\n"} {
		if _, err := io.ReadFull(answer.Body, buf); err != nil || string(buf) != want {
			t.Fatalf("got %q, %v", buf, err)
		}
		more <- struct{}{}
	}
}

func TestHTTP2_truncatedResponseIsReset(t *testing.T) {
	r := newRig(t)
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	answer, err := http2Client(t).Do(newRequest(t, http.MethodGet, "http://"+r.addr+"/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, err = io.ReadAll(answer.Body)
	if err == nil || !strings.Contains(err.Error(), "stream error") {
		t.Errorf("reading ended with %v, want a reset stream", err)
	}
}

func TestShutdown_http2GoAway(t *testing.T) {
	r := newRig(t)
	begun, end := make(chan struct{}), make(chan struct{})
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-end
		fmt.Fprint(w, name)
	})
	c := http2Client(t)
	got := make(chan string, 1)
	go func() {
		answer, err := c.Do(newRequest(t, http.MethodGet, "http://"+r.addr+"/", nil))
		if err != nil {
			got <- err.Error()
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		got <- string(body)
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- r.server.Shutdown(t.Context()) }()
	eventually(t, "the server to stop taking connections", func() bool {
		conn, err := net.Dial("tcp", r.addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(end)
	if body := <-got; body != "cart-0" {
		t.Errorf("the stream that was open ended with %q", body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
