package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/memory"
	"github.com/limpet-dev/limpet/pkg/model"
)

const mebi = 1 << 20

// withBudget bounds the memory of a rig.
func withBudget(bytes int64) (*memory.Budget, func(*Options)) {
	b := memory.NewBudget(bytes)
	return b, func(o *Options) { o.Memory = b }
}

// largeHead is a request whose head is long, and short on the wire once its field is in the table of the connection.
func largeHead(fields int) []string {
	head := plain
	for range fields {
		head = append(head[:len(head):len(head)], "x-amplified", strings.Repeat("v", 3900))
	}
	return head
}

// closedWindow is the setting of a client that lets no response body come.
var closedWindow = http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}

// fates reads until that many streams have a response or have ended, and returns how many there are of each kind.
func (p *peer) fates(n int) map[string]int {
	p.t.Helper()
	known, count := map[uint32]bool{}, map[string]int{}
	for len(known) < n {
		frame, err := p.ReadFrame()
		if err != nil {
			count["closed"] = n - len(known)
			return count
		}
		id, fate := frame.Header().StreamID, ""
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			fate = f.PseudoValue("status")
		case *http2.RSTStreamFrame:
			fate = f.ErrCode.String()
		}
		if fate != "" && !known[id] {
			known[id] = true
			count[fate]++
		}
	}
	return count
}

func (p *peer) openMany(streams int, fields []string) {
	p.t.Helper()
	for i := range streams {
		p.must(p.open(uint32(2*i+1), true, fields...))
	}
}

func TestMemory_amplifyingPeerRefused(t *testing.T) {
	budget, bounded := withBudget(8 * mebi)
	r := newRig(t, bounded)
	r.serveEcho()
	p := dialHTTP2(t, r.addr, closedWindow)
	p.openMany(200, largeHead(15))
	fates := p.fates(200)
	if fates["503"] == 0 || fates["200"] == 0 {
		t.Errorf("the streams end with %v, want some refused with 503", fates)
	}
	if used := budget.Used(); used > mebi+memoryStep {
		t.Errorf("one connection holds %d bytes", used)
	}
	if got := dialHTTP2(t, r.addr); got.open(1, true, plain...) != nil || got.outcome(1) != "200" {
		t.Error("another connection is not served")
	}
	p.conn.Close()
	eventually(t, "the memory to be given back", func() bool { return budget.Used() == 0 })
}

// memoryStep is the minimum that an account reserves.
const memoryStep = 16 << 10

func TestMemory_refusedAgainAndAgain(t *testing.T) {
	_, bounded := withBudget(mebi)
	r := newRig(t, bounded)
	r.serveEcho()
	p := dialHTTP2(t, r.addr, closedWindow)
	closed := make(chan string, 1)
	go func() { closed <- p.outcome(0) }()
	for i := range 3000 {
		if p.open(uint32(2*i+1), true, largeHead(15)...) != nil {
			break
		}
	}
	if got := <-closed; got != "closed" {
		t.Errorf("the connection ends with %s", got)
	}
	r.expectMetric(`limpet_connections_refused_total{reason="flood"}`, 1)
}

// A response that has begun needs little of the request's head, which the client could otherwise keep for as long as it
// does not take the body.
func TestMemory_headReleasedOnResponse(t *testing.T) {
	const streams, heads = 20, 20 * 15 * 3900
	budget, bounded := withBudget(64 * mebi)
	r := newRig(t, bounded)
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
	for name, path := range map[string]string{"of a pod": "/", "of Limpet": "/../"} {
		t.Run(name, func(t *testing.T) {
			p := dialHTTP2(t, r.addr, closedWindow)
			p.openMany(streams, append(largeHead(15)[:6:6], append([]string{":path", path}, largeHead(15)[8:]...)...))
			p.fates(streams)
			eventually(t, "the heads to be released", func() bool { return budget.Used() < heads })
			if got := budget.Used(); got == 0 {
				t.Error("nothing is counted for the streams themselves")
			}
			p.conn.Close()
			eventually(t, "the rest to be given back", func() bool { return budget.Used() == 0 })
		})
	}
}

// A pod's head is in a buffer of the connection to it for as long as the client does not take the body.
func TestMemory_heldResponseHeads(t *testing.T) {
	const streams = 100 // without their heads, they hold a third of what one connection may
	budget, bounded := withBudget(64 * mebi)
	r := newRig(t, bounded)
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, _ *http.Request) {
		for i := range 7 {
			w.Header().Set(fmt.Sprint("X-Long-", i), strings.Repeat("v", 8000))
		}
		io.WriteString(w, name)
	})
	p := dialHTTP2(t, r.addr, closedWindow)
	p.openMany(streams, plain)
	fates := p.fates(streams)
	if fates["200"] == 0 || fates["503"] == 0 {
		t.Errorf("the streams end with %v, want some refused with 503", fates)
	}
	if used, held := budget.Used(), int64(fates["200"]*7*8000); used < held {
		t.Errorf("%d bytes are counted, but the heads alone have %d", used, held)
	}
	p.conn.Close()
	eventually(t, "the memory to be given back", func() bool { return budget.Used() == 0 })
}

func TestMemory_unreadBodiesBounded(t *testing.T) {
	budget, bounded := withBudget(4 * mebi)
	r := newRig(t, bounded)
	r.serveBy(overHTTP2, nil, startHTTP2(t, "cart-0", func(*http2Pod, uint32) {}).addr) // it sends no WINDOW_UPDATE
	p := dialHTTP2(t, r.addr)
	reset := make(chan string, 1)
	go func() { reset <- fmt.Sprint(p.fates(1)) }()
	for i := range uint32(20) {
		if p.open(2*i+1, false, plainPost...) != nil {
			break
		}
		for range 3 {
			_ = p.WriteData(2*i+1, false, octets(http2FrameSize)) // fails if the connection was closed
		}
	}
	if got := <-reset; !strings.Contains(got, "ENHANCE_YOUR_CALM") && !strings.Contains(got, "503") {
		t.Errorf("the first stream that ends does so with %s", got)
	}
	if used := budget.Used(); used > mebi {
		t.Errorf("%d bytes are held", used)
	}
	p.conn.Close()
	eventually(t, "the memory to be given back", func() bool { return budget.Used() == 0 })
}

func TestMemory_fullRefusesNewWork(t *testing.T) {
	budget, bounded := withBudget(mebi)
	r := newRig(t, bounded)
	gate := make(chan struct{})
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/slow" {
			w.WriteHeader(http.StatusOK)
			http.NewResponseController(w).Flush()
			<-gate
		}
		io.WriteString(w, name)
	})
	slow := r.dial()
	slow.send(request("GET", "/slow", ""))
	slow.line()
	held := memory.NewAccount(budget)
	for held.Take(memoryStep) {
	}
	for !budget.Full() {
		other := memory.NewAccount(budget)
		for other.Take(memoryStep) {
		}
		eventually(t, "the sweeper to look", func() bool { return budget.Full() || budget.Used() < mebi })
	}
	refused := r.dial().get("/")
	refused.expectStatus(t, http.StatusServiceUnavailable)
	if refused.header.Get("Retry-After") == "" || !refused.close {
		t.Error("the response does not say when to come back, or keeps the connection")
	}
	if got := dialHTTP2(t, r.addr); got.open(1, true, plain...) != nil || got.outcome(1) != "503" {
		t.Error("HTTP/2 is not refused")
	}
	close(gate)
	if rest := slow.chunk(); !strings.Contains(rest, "cart-0") {
		t.Errorf("the request in progress ends with %q", rest)
	}
}

// chunk reads the rest of a head, and the first chunk of the body.
func (c *caller) chunk() string {
	c.head()
	size := c.line()
	return size + c.line()
}

func TestMemory_keptBodiesBounded(t *testing.T) {
	budget, bounded := withBudget(memoryStep * 40)
	r := newRig(t, bounded)
	asked := make(chan struct{}, 100)
	gate := make(chan struct{})
	r.serveBy(model.Transport{HTTP2: true}, nil, addressOf(startBackend(t, nil, func(w http.ResponseWriter, q *http.Request) {
		n, _ := io.Copy(io.Discard, q.Body)
		asked <- struct{}{}
		<-gate
		fmt.Fprint(w, n)
	})))
	const uploads, length = 30, 60 << 10
	upload := request("POST", "/", strings.Repeat("b", length))
	var calls []*caller
	for range uploads {
		c := r.dial()
		c.send(upload[:len(upload)-length])
		calls = append(calls, c)
	}
	// A request that begins while the budget is used up would be refused.
	eventually(t, "all requests to begin", func() bool { return budget.Used() >= uploads*activeConnBytes })
	for _, c := range calls {
		c.send(upload[len(upload)-length:])
		<-asked
	}
	if used := budget.Used(); used > budget.Limit()+uploads*activeConnBytes {
		t.Errorf("%d bytes are held", used)
	}
	close(gate)
	for _, c := range calls {
		c.read("POST").expectOK(t, fmt.Sprint(length))
	}
	eventually(t, "the bodies to be given up", func() bool { return budget.Used() < memoryStep*4 })
}

func TestMemory_http3Refused(t *testing.T) {
	budget, bounded := withBudget(mebi)
	r, addr := http3Rig(t, bounded)
	gate, asked := make(chan struct{}), make(chan struct{}, 100)
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-gate
		io.WriteString(w, name)
	})
	client := http3Client(t)
	statuses := make(chan int, 10)
	for range 10 {
		go func() {
			q := newRequest(t, http.MethodGet, "https://"+addr+"/", nil)
			q.Header.Set("X-Large", strings.Repeat("v", 20_000))
			resp, err := client.Do(q)
			if err != nil {
				statuses <- 0
				return
			}
			resp.Body.Close()
			statuses <- resp.StatusCode
		}()
	}
	if got := <-statuses; got != http.StatusServiceUnavailable {
		t.Errorf("the first response has status %d", got)
	}
	<-asked
	close(gate)
	served := 0
	for range 9 {
		if <-statuses == http.StatusOK {
			served++
		}
	}
	if served == 0 {
		t.Error("no request was served")
	}
	eventually(t, "the memory to be given back", func() bool { return budget.Used() < memoryStep*2 })
}
