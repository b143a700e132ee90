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
	stormSeed    = flag.Uint64("storm.seed", 1, "of the first storm; each other has the next one")
	stormCount   = flag.Uint64("storm.count", 1, "how many storms there are")
	stormErrands = flag.Int("storm.errands", 16, "requests of each client in a storm")
)

// stormPatience is how long a client of a storm waits: more than anything takes on a machine that is busy.
const stormTimeout = 30 * time.Second

// storm is many clients of all protocols, whose errands go to pods of all tempers while everything changes. Its seed does not
// bring back the order in which things happened, but what was asked for.
type storm struct {
	*rig
	seed              uint64
	reliable, failing []*stormPod
	refusing          []*pod
	ends              []func()             // of clients that share connections
	endpoints         []*upstream.Endpoint // all that there were
	ids               atomic.Uint32
	finished          chan struct{} // one for each errand

	mu       sync.Mutex
	received map[uint32]int  // how often pods have begun with an errand
	refused  map[uint32]bool // moody pods have refused it
	faults   int
	tally    map[string]int
}

// Every answer is for the request that it is given to, and whole or seen not to be. No pod gets another request's body, one
// that is cut off and passes for whole, or a request that a pod may have acted on already. Calm pods answer all they are asked.
// Nothing is left when it is over.
func TestStorm_everyRequestGetsItsResponse(t *testing.T) {
	for seed := *stormSeed; seed < *stormSeed+*stormCount; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runStorm(t, seed, *stormErrands) })
	}
}

func runStorm(t *testing.T, seed uint64, errands int) {
	expectNothingLeft(t)
	s := &storm{
		seed: seed, received: map[uint32]int{}, refused: map[uint32]bool{}, tally: map[string]int{}, finished: make(chan struct{}, 1000),
	}
	weather := rand.New(rand.NewPCG(seed, 0))
	r, quic := http3Rig(t, func(o *Options) {
		o.Connections = ConnectionLimits{PerClient: 1000, Requests: pick(weather, 0, 7, 60)}
		o.StreamsFrom = pick(weather, 0, 1, sweepInterval)
		o.Timeouts.Response, o.Timeouts.Body = time.Hour, time.Hour // whoever waits for ever is overdue
	})
	s.rig = r
	secure := r.listen(r.server.ServeTLS)
	s.startPods()
	var clients sync.WaitGroup
	s.startHTTP1Clients(&clients, secure, errands)
	s.startSharedClients(&clients, secure, quic, errands)
	go func() { clients.Wait(); close(s.finished) }()
	for range s.finished {
		s.changeSomething(weather)
	}
	t.Log(s.tally)
	s.expectCountersAtZero()
}

func (s *storm) startPods() {
	for i := range 3 {
		s.reliable = append(s.reliable, s.startPod(fmt.Sprint("calm-", i)))
		s.failing = append(s.failing, s.startPod(fmt.Sprint("wild-", i)))
	}
	for i := range 2 {
		s.refusing = append(s.refusing, startPod(s.t, fmt.Sprint("moody-", i), s.serveRefusing))
	}
	rnd := rand.New(rand.NewPCG(s.seed, 1))
	s.replace(reliablePool, some(rnd, s.reliable)...)
	s.replace(failingPool, some(rnd, s.failing)...)
	s.replace(refusingPool, endpointsOf(s.refusing...)...)
	s.publishRoutes(rnd)
}

func (s *storm) startHTTP1Clients(clients *sync.WaitGroup, secure string, errands int) {
	for i := range uint64(12) {
		w := &serialClient{s: s, by: "HTTP/1.1", rnd: rand.New(rand.NewPCG(s.seed, 100+i))}
		w.dial = func() (net.Conn, error) { return net.Dial("tcp", s.addr) }
		if i%3 == 0 {
			w.dial = func() (net.Conn, error) { return tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true}) }
		}
		clients.Go(func() { w.run(errands) })
	}
}

func (s *storm) startSharedClients(clients *sync.WaitGroup, secure, quic string, errands int) {
	plain := "http://" + s.addr
	for i, over := range []sharedConn{
		{"HTTP/2", plain, s.http2()}, {"HTTP/2", plain, s.http2()}, {"HTTP/2", plain, s.http2()},
		{"HTTP/2 over TLS", "https://" + secure, s.http2()}, {"HTTP/3", "https://" + quic, s.http3()},
	} {
		for j := range uint64(6) {
			w := &sharedClient{s, over, rand.New(rand.NewPCG(s.seed, 200+10*uint64(i)+j))}
			clients.Go(func() { w.run(errands) })
		}
	}
}

func (s *storm) done() { s.finished <- struct{}{} }

// arrived notes that a pod begins with an errand.
func (s *storm) noteReceived(e *stormRequest) {
	s.mu.Lock()
	s.received[e.ID]++
	n := s.received[e.ID]
	s.mu.Unlock()
	if n > 1 && !e.mayRepeat() {
		s.fault("%s: pods see it for the %d. time", e, n)
	}
}

// isFirst reports whether a moody pod has yet to refuse the errand.
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

// expectCalm sees that what was counted is counted back.
func (s *storm) expectCountersAtZero() {
	for _, end := range s.ends {
		end()
	}
	eventually(s.t, "clients to be gone", s.server.conns.empty)
	s.expectMetric("limpet_client_connections", 0)
	for _, kind := range []string{"websocket", "events", "grpc", "download"} {
		s.expectMetric(`limpet_streams{kind="`+kind+`"}`, 0)
	}
	eventually(s.t, "nobody to be admitted", func() bool { return s.server.admission.open.Load() == 0 })
	for i := range s.server.admission.clients {
		if counts := &s.server.admission.clients[i]; len(counts.open) > 0 {
			s.fault("clients that are gone are counted: %v", counts.open)
		}
	}
	s.expectIdlePods()
}

func (s *storm) expectIdlePods() {
	for _, e := range s.endpoints {
		eventually(s.t, e.Label+" to have no requests", func() bool { return e.InFlight() == 0 })
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

// expectNothingLeft compares what there is at the end of the test with what there is now.
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
