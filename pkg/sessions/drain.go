package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// DrainPath is the path at which replicas notify each other that a pod drains.
const DrainPath = "/peers/drain"

// Bounds of drains.
const (
	// MaxWait is the longest time that a Drain waits.
	MaxWait = time.Hour
	// maxWaiting bounds the drains that wait at the same time. A namespace gets at most half of them, and a pod a few, so that
	// the pods of one tenant cannot take all of them.
	maxWaiting     = 200
	maxInNamespace = maxWaiting / 2
	maxOfPod       = 4
	// markMargin is the time for which a pod stays marked after the wait. The kubelet stops it by then.
	markMargin = time.Minute
	// maxReply bounds the response of another replica to a mark in bytes.
	maxReply = 4 << 10
)

// drainInterval is the time between two counts of a Drain.
const drainInterval = 2 * time.Second

// ErrBusy is returned while too many drains wait.
var ErrBusy = errors.New("sessions: too many pods are being drained at the same time")

// ErrUnknownPod is returned for a pod that is in no pool.
var ErrUnknownPod = errors.New("sessions: no route leads to the pod")

// PodRef names a pod. With an empty UID, it is any pod of that name.
type PodRef struct{ Namespace, Name, UID string }

// Drained is the result of a Drain.
type Drained struct {
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	// Done reports whether the pod has no sessions and no active requests, by the counts of all replicas. It is false if a count
	// may be too low.
	Done     bool  `json:"done"`
	Sessions int64 `json:"sessions"`
	Idle     int64 `json:"idle"`
	InFlight int64 `json:"inFlight"`
	Streams  int64 `json:"streams"`
	// Missing are the replicas that do not respond. They drain the pod when they learn that it terminates.
	Missing []Replica `json:"missing,omitempty"`
}

// mark is the body of a request to DrainPath.
type mark struct {
	Namespace string    `json:"namespace"`
	UID       string    `json:"uid"`
	End       time.Time `json:"end"`
}

// Drain marks a pod as draining in all replicas, until a minute after wait has passed. It returns when the pod has no sessions
// and no active requests, when wait has passed, or when ctx is done. Nothing remains of the mark after its end, so a container
// that restarts gets new sessions again. It returns ErrBusy if too many calls wait, and ErrUnknownPod if no pool has the pod.
func (f *Fleet) Drain(ctx context.Context, pod PodRef, wait time.Duration) (*Drained, error) {
	if !f.waiting.begin(pod) {
		return nil, ErrBusy
	}
	defer f.waiting.end(pod)
	end := time.Now().Add(wait)
	if err := f.markAll(ctx, pod, end.Add(markMargin)); err != nil {
		return nil, err
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	ticker := time.NewTicker(drainInterval)
	defer ticker.Stop()
	for {
		result := f.left(ctx, pod)
		if result.Done || wait == 0 {
			return result, nil
		}
		select {
		case <-ticker.C:
			// A replica may have started in the meantime, or may not have received the mark.
			if err := f.markAll(ctx, pod, end.Add(markMargin)); err != nil && !errors.Is(err, ErrUnknownPod) {
				return nil, err
			}
		case <-deadline.C:
			return f.left(ctx, pod), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// left counts what the pod still has in all replicas.
func (f *Fleet) left(ctx context.Context, pod PodRef) *Drained {
	report := f.Total(ctx, Query{Pod: pod.Namespace + "/" + pod.Name})
	p, _ := report.Left(pod)
	return &Drained{
		Namespace: pod.Namespace, Pod: pod.Name, Done: report.IsEmpty(&p), Sessions: p.Sessions, Idle: p.Idle, InFlight: p.InFlight,
		Streams: p.Streams, Missing: report.Missing(),
	}
}

// waiting counts the drains that wait. It is safe for concurrent use.
type waiting struct {
	mu         sync.Mutex
	all        int
	namespaces map[string]int
	pods       map[PodRef]int // without UIDs
}

// begin counts a drain, unless too many wait.
func (w *waiting) begin(pod PodRef) bool {
	pod.UID = ""
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= maxWaiting || w.namespaces[pod.Namespace] >= maxInNamespace || w.pods[pod] >= maxOfPod {
		return false
	}
	if w.pods == nil {
		w.namespaces, w.pods = map[string]int{}, map[PodRef]int{}
	}
	w.all++
	w.namespaces[pod.Namespace]++
	w.pods[pod]++
	return true
}

// end ends a drain that begin counted.
func (w *waiting) end(pod PodRef) {
	pod.UID = ""
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.namespaces[pod.Namespace]--; w.namespaces[pod.Namespace] == 0 {
		delete(w.namespaces, pod.Namespace)
	}
	if w.pods[pod]--; w.pods[pod] == 0 {
		delete(w.pods, pod)
	}
}

// markAll marks the pod in this replica and in the others.
func (f *Fleet) markAll(ctx context.Context, pod PodRef, end time.Time) error {
	uids := f.uidsOf(pod)
	if len(uids) == 0 {
		return ErrUnknownPod
	}
	for _, uid := range uids {
		if err := f.Pools.MarkDraining(pod.Namespace, uid, end); err != nil {
			return err
		}
		if f.Peers == nil {
			continue
		}
		body, err := json.Marshal(mark{pod.Namespace, uid, end})
		if err != nil {
			return err
		}
		f.Peers.Do(ctx, http.MethodPost, DrainPath, body, maxReply) // counting names the replicas that do not respond
	}
	return nil
}

// uidsOf returns the UIDs of the endpoints of the pod in this replica. Usually it is one.
func (f *Fleet) uidsOf(pod PodRef) []string {
	found := map[string]bool{}
	for _, p := range f.Pools.Pools() {
		if p.ID.Namespace != pod.Namespace {
			continue
		}
		for _, e := range p.Set().Endpoints() {
			if e.Pod == pod.Name && (pod.UID == "" || pod.UID == e.ID) {
				found[e.ID] = true
			}
		}
	}
	var uids []string
	for uid := range found {
		uids = append(uids, uid)
	}
	return uids
}

// ServeDrainPeer serves the marks of other replicas.
func (f *Fleet) ServeDrainPeer(w http.ResponseWriter, r *http.Request) {
	m, err := readMark(r.Body)
	if err == nil {
		err = f.Pools.MarkDraining(m.Namespace, m.UID, m.End)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, struct{}{})
}

// readMark parses a mark strictly.
func readMark(from io.Reader) (m mark, err error) {
	decoder := json.NewDecoder(from)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return m, err
	}
	if m.Namespace == "" || m.UID == "" || time.Until(m.End) > MaxWait+2*markMargin {
		return m, errors.New("sessions: a mark needs a namespace, a UID, and an end within an hour")
	}
	return m, nil
}
