package controllers

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// recordedEvents is an objectWriter that records the notes of Events.
type recordedEvents struct {
	mu    sync.Mutex
	notes []string
}

func (*recordedEvents) patchStatus(context.Context, model.Ref, client.Object, client.Patch) error {
	return nil
}

func (r *recordedEvents) createEvent(_ context.Context, event *eventsv1.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, event.Note)
	return nil
}

// delayedAdds is a queue that records the delays of AddAfter.
type delayedAdds struct {
	workqueue.TypedRateLimitingInterface[model.Ref]
	delays []time.Duration
}

func (q *delayedAdds) AddAfter(_ model.Ref, wait time.Duration) { q.delays = append(q.delays, wait) }

// An object that changes in a loop gets eventBurst Events, and is written again when there may be another one. Other objects do
// not wait.
func TestEvents_rateIsBounded(t *testing.T) {
	recorded := &recordedEvents{}
	w := &statusWriter{
		writer: recorded, events: &events{writer: recorded, scheme: runtime.NewScheme()}, log: logr.Discard(),
		pod: func(namespace, name string) *metav1.PartialObjectMetadata {
			return &metav1.PartialObjectMetadata{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			}
		},
	}
	w.events.reset()
	queue := &delayedAdds{TypedRateLimitingInterface: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[model.Ref]())}
	defer queue.ShutDown()
	deliver := func(name, message string) {
		ref := model.Ref{Kind: model.KindPod, Namespace: "shop", Name: name}
		report := translate.Report{Ref: ref}
		if message != "" {
			report.Problems = []translate.Problem{{Reason: "Any", Message: message}}
		}
		w.deliver(&translate.Update{Reports: []translate.Report{report}})
		queue.Add(ref)
		w.next(t.Context(), queue)
	}
	const changes = 100
	for i := range changes {
		deliver("changing", fmt.Sprint("version ", i))
		deliver("changing", "") // without a problem, so that nothing is left of the last Event
	}
	if n := len(recorded.notes); n != eventBurst {
		t.Errorf("%d changes created %d Events, want %d", changes, n, eventBurst)
	}
	if n := len(queue.delays); n != changes-eventBurst || queue.delays[0] <= 0 || queue.delays[0] > eventInterval {
		t.Errorf("%d writes were delayed, by %v", n, queue.delays)
	}
	deliver("other", "once")
	if last := recorded.notes[len(recorded.notes)-1]; last != "once" {
		t.Errorf("the last Event is %q, want that of the other object", last)
	}
	ref := model.Ref{Kind: model.KindPod, Namespace: "shop", Name: "changing"}
	if wait := w.events.delay(ref, time.Now().Add(eventInterval)); wait != 0 {
		t.Errorf("after %s, an Event has to wait another %s", eventInterval, wait)
	}
	w.deliver(&translate.Update{RemovedReports: []model.Ref{ref}})
	queue.Add(ref)
	w.next(t.Context(), queue)
	if len(w.events.limits) != 1 {
		t.Errorf("there are limits for %d objects, want those of the one that is left", len(w.events.limits))
	}
}
