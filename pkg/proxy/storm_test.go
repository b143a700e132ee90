package proxy

import (
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

var (
	stormSeed     = flag.Uint64("storm.seed", 1, "the seed of the first storm; later storms use the following numbers")
	stormCount    = flag.Uint64("storm.count", 1, "the number of storms")
	stormRequests = flag.Int("storm.requests", 16, "the number of requests of each client in a storm")
)

// stormTimeout is the timeout of a client: longer than any request takes on a busy machine.
const stormTimeout = 30 * time.Second

// storm runs many clients of all protocols against pods that are reliable, fail, or refuse streams, while the configuration
// changes. A seed reproduces the requests, but not the order of events.
type storm struct {
	*rig
	seed              uint64
	reliable, failing []*stormPod
	refusing          []*pod
	ends              []func()             // close the clients that share connections
	endpoints         []*upstream.Endpoint // all endpoints so far
	ids               atomic.Uint32
	finished          chan struct{} // receives a value for each completed request

	mu       sync.Mutex
	received map[uint32]int  // number of times that pods have received a request, by ID
	refused  map[uint32]bool // requests that a refusing pod has refused, by ID
	faults   int
	tally    map[string]int
}

// Every response belongs to its request, and is complete or detectably truncated. No pod receives the body of another request,
// a truncated body that looks complete, or a repeated request that is not safe to repeat. Requests to reliable pods never fail.
// No goroutine, file or counter is left at the end.
func TestStorm_everyRequestGetsItsResponse(t *testing.T) {
	for seed := *stormSeed; seed < *stormSeed+*stormCount; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runStorm(t, seed, *stormRequests) })
	}
}

func runStorm(t *testing.T, seed uint64, requests int) {
	expectNothingLeft(t)
	s := &storm{
		seed: seed, received: map[uint32]int{}, refused: map[uint32]bool{}, tally: map[string]int{}, finished: make(chan struct{}, 1000),
	}
	rnd := rand.New(rand.NewPCG(seed, 0))
	r, quic := http3Rig(t, func(o *Options) {
		o.Connections = ConnectionLimits{PerClient: 1000, Requests: pick(rnd, 0, 7, 60)}
		o.LongStreamAfter = pick(rnd, 0, 1, sweepInterval)
		o.Timeouts.Response, o.Timeouts.Body = time.Hour, time.Hour // a request that hangs reaches stormTimeout instead
	})
	s.rig = r
	secure := r.listen(r.server.ServeTLS)
	s.startPods()
	var clients sync.WaitGroup
	s.startHTTP1Clients(&clients, secure, requests)
	s.startSharedClients(&clients, secure, quic, requests)
	go func() { clients.Wait(); close(s.finished) }()
	for range s.finished {
		s.changeSomething(rnd)
	}
	t.Log(s.tally)
	s.expectCountersAtZero()
}

func (s *storm) startPods() {
	for i := range 3 {
		s.reliable = append(s.reliable, s.startPod(fmt.Sprint("reliable-", i)))
		s.failing = append(s.failing, s.startPod(fmt.Sprint("failing-", i)))
	}
	for i := range 2 {
		s.refusing = append(s.refusing, startPod(s.t, fmt.Sprint("refusing-", i), s.serveRefusing))
	}
	rnd := rand.New(rand.NewPCG(s.seed, 1))
	s.replace(reliablePool, some(rnd, s.reliable)...)
	s.replace(failingPool, some(rnd, s.failing)...)
	s.replace(refusingPool, endpointsOf(s.refusing...)...)
	s.publishRoutes(rnd)
}

func (s *storm) startHTTP1Clients(clients *sync.WaitGroup, secure string, requests int) {
	for i := range uint64(12) {
		w := &serialClient{s: s, by: "HTTP/1.1", rnd: rand.New(rand.NewPCG(s.seed, 100+i))}
		w.dial = func() (net.Conn, error) { return net.Dial("tcp", s.addr) }
		if i%3 == 0 {
			w.dial = func() (net.Conn, error) { return tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true}) }
		}
		clients.Go(func() { w.run(requests) })
	}
}

func (s *storm) startSharedClients(clients *sync.WaitGroup, secure, quic string, requests int) {
	plain := "http://" + s.addr
	for i, over := range []sharedConn{
		{"HTTP/2", plain, s.http2()}, {"HTTP/2", plain, s.http2()}, {"HTTP/2", plain, s.http2()},
		{"HTTP/2 over TLS", "https://" + secure, s.http2()}, {"HTTP/3", "https://" + quic, s.http3()},
	} {
		for j := range uint64(6) {
			w := &sharedClient{s, over, rand.New(rand.NewPCG(s.seed, 200+10*uint64(i)+j))}
			clients.Go(func() { w.run(requests) })
		}
	}
}

func (s *storm) done() { s.finished <- struct{}{} }

// noteReceived records that a pod has received a request.
func (s *storm) noteReceived(e *stormRequest) {
	s.mu.Lock()
	s.received[e.ID]++
	n := s.received[e.ID]
	s.mu.Unlock()
	if n > 1 && !e.mayRepeat() {
		s.fault("%s: received %d times", e, n)
	}
}

// refusesOnce reports whether a refusing pod must refuse the request, which is the first time that it receives it.
func (s *storm) refusesOnce(e *stormRequest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.refused[e.ID]
	s.refused[e.ID] = true
	return !known
}

func (s *storm) checkResult(e *stormRequest, o *stormResult) {
	if wrong := e.check(o); wrong != "" {
		s.fault("%s: %s", e, wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally[fmt.Sprint(e.Path, " ", o.status, " ", o.err == nil)]++
}

func (s *storm) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults++; s.faults < 20 {
		s.t.Errorf(format, args...)
	}
}

// expectCountersAtZero checks that all gauges are zero after the clients have ended.
func (s *storm) expectCountersAtZero() {
	for _, end := range s.ends {
		end()
	}
	eventually(s.t, "client connections to close", s.server.conns.empty)
	s.expectMetric("limpet_client_connections", 0)
	for _, kind := range []string{"websocket", "events", "grpc", "download"} {
		s.expectMetric(`limpet_streams{kind="`+kind+`"}`, 0)
	}
	eventually(s.t, "the admission count to be zero", func() bool { return s.server.admission.open.Load() == 0 })
	for i := range s.server.admission.clients {
		if counts := &s.server.admission.clients[i]; len(counts.open) > 0 {
			s.fault("closed connections are still counted: %v", counts.open)
		}
	}
	s.expectIdlePods()
}

func (s *storm) expectIdlePods() {
	for _, e := range s.endpoints {
		eventually(s.t, e.Label()+" to have no requests", func() bool { return e.InFlight() == 0 })
	}
	for _, id := range []model.PoolID{reliablePool, failingPool, refusingPool} {
		s.rig.replace(id)
	}
	for _, p := range append(s.reliable, s.failing...) {
		eventually(s.t, p.name+" to have no connections", func() bool { return p.connections() == 0 })
	}
	for _, p := range s.refusing {
		eventually(s.t, p.name+" to have no connections", func() bool { return p.connections() == 0 })
	}
}

// expectNothingLeft checks at the end of the test that no more goroutines and files exist than now.
func expectNothingLeft(t *testing.T) {
	loopback(t).Close() // the first socket of a process makes more than itself
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	t.Cleanup(func() {
		eventually(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= goroutines })
		eventually(t, "files to be closed", func() bool { return openFiles(t) <= files })
	})
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
