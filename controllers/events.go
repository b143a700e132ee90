package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

const (
	reportingController = "limpet.dev/ingress"
	maxNoteBytes        = 1024 // limit of the API server for Event.note
	// eventBurst is the number of Events on one object that are created without a delay, and eventInterval the time after which
	// there may be another one. A tenant that changes its objects in a loop must not fill the store of the API server.
	eventBurst    = 25
	eventInterval = 10 * time.Second
)

// events creates a Warning Event for each reason of an object's problems when the problem appears or its text
// changes.
//
// It does not use client-go's EventRecorder, because the recorder merges Events that differ only in their note, and
// the note describes the problem. It is safe for concurrent use.
type events struct {
	writer   objectWriter
	scheme   *runtime.Scheme
	instance string

	mu      sync.Mutex
	emitted map[model.Ref]map[string]string // reason -> note; the inner maps are immutable
	limits  map[model.Ref]*rate.Limiter     // of objects that have had Events
}

// reset forgets all Events, so that they are emitted again.
func (e *events) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.emitted, e.limits = map[model.Ref]map[string]string{}, map[model.Ref]*rate.Limiter{}
}

// forget drops the state of one object.
func (e *events) forget(ref model.Ref) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.emitted, ref)
	delete(e.limits, ref)
}

// emit creates the Events that have not been created yet. On an error, the remaining Events are created by the next
// call. If the object has had too many Events, emit creates no more of them, and returns the time to wait until the next call.
// Callers must not emit Events for one object concurrently.
func (e *events) emit(ctx context.Context, object client.Object, report *translate.Report) (wait time.Duration, err error) {
	notes, before := notesByReason(report.Problems), e.of(report.Ref)
	if len(notes)+len(before) == 0 {
		return 0, nil
	}
	emitted := maps.Clone(before)
	maps.DeleteFunc(emitted, func(reason, note string) bool { return notes[reason] != note })
	if emitted == nil {
		emitted = map[string]string{}
	}
	defer func() { e.set(report.Ref, emitted) }()
	for _, reason := range sortedKeys(notes) {
		if emitted[reason] == notes[reason] {
			continue
		}
		if wait = e.delay(report.Ref, time.Now()); wait > 0 {
			return wait, nil
		}
		if err := e.create(ctx, object, reason, notes[reason]); err != nil {
			return 0, fmt.Errorf("creating Event %s for %s: %w", reason, report.Ref, err)
		}
		emitted[reason] = notes[reason]
	}
	return 0, nil
}

// delay returns the time until there may be another Event on an object. If it is zero, the Event counts.
func (e *events) delay(ref model.Ref, now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	limit := e.limits[ref]
	if limit == nil {
		limit = rate.NewLimiter(rate.Every(eventInterval), eventBurst)
		e.limits[ref] = limit
	}
	reserved := limit.ReserveN(now, 1)
	wait := reserved.DelayFrom(now)
	if wait > 0 {
		reserved.CancelAt(now)
	}
	return wait
}

// of returns the notes that were emitted for an object, by reason. Callers must not modify the map.
func (e *events) of(ref model.Ref) map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.emitted[ref]
}

// set replaces the notes that were emitted for an object. It keeps no entry for an object without any.
func (e *events) set(ref model.Ref, notes map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(notes) == 0 {
		delete(e.emitted, ref)
		return
	}
	e.emitted[ref] = notes
}

func (e *events) create(ctx context.Context, object client.Object, reason, note string) error {
	gvk, err := apiutil.GVKForObject(object, e.scheme)
	if err != nil {
		return err
	}
	err = e.writer.createEvent(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:    object.GetNamespace(),
			GenerateName: eventNamePrefix(object.GetName()),
		},
		EventTime: metav1.MicroTime{Time: time.Now()},
		Regarding: corev1.ObjectReference{
			APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, UID: object.GetUID(),
			Namespace: object.GetNamespace(), Name: object.GetName(), ResourceVersion: object.GetResourceVersion(),
		},
		ReportingController: reportingController,
		ReportingInstance:   e.instance,
		Type:                corev1.EventTypeWarning,
		Reason:              reason,
		Action:              "Translate",
		Note:                note,
	})
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // Events cannot be created in a terminating namespace
	}
	return err
}

// eventNamePrefix returns the generateName of an Event: the object's name, shortened so that the API server can
// append to it.
func eventNamePrefix(name string) string {
	const maxLen = 50
	return strings.TrimRight(name[:min(len(name), maxLen)], ".-") + "-"
}

// notesByReason returns one note for each reason. Problems with the same reason are joined.
func notesByReason(problems []translate.Problem) map[string]string {
	lines := map[string][]string{}
	for _, p := range problems {
		line := p.Message
		if p.Field != "" {
			line = p.Field + ": " + p.Message
		}
		lines[p.Reason] = append(lines[p.Reason], line)
	}
	notes := make(map[string]string, len(lines))
	for reason, all := range lines {
		notes[reason] = truncateNote(strings.Join(all, "; "))
	}
	return notes
}

// truncateNote cuts a note at a rune boundary so that it fits into an Event.
func truncateNote(note string) string {
	const mark = " ..."
	if len(note) <= maxNoteBytes {
		return note
	}
	return strings.ToValidUTF8(note[:maxNoteBytes-len(mark)], "") + mark
}

func sortedKeys(notes map[string]string) []string {
	keys := make([]string, 0, len(notes))
	for key := range notes {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
