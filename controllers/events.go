package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

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
}

// reset forgets all Events, so that they are emitted again.
func (e *events) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.emitted = map[model.Ref]map[string]string{}
}

// forget drops the state of one object.
func (e *events) forget(ref model.Ref) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.emitted, ref)
}

// emit creates the Events that have not been created yet. On an error, the remaining Events are created by the next
// call.
// Callers must not emit Events for one object concurrently.
func (e *events) emit(ctx context.Context, object client.Object, report *translate.Report) error {
	notes, before := notesByReason(report.Problems), e.of(report.Ref)
	if len(notes)+len(before) == 0 {
		return nil
	}
	emitted := map[string]string{}
	defer func() { e.set(report.Ref, emitted) }()
	for _, reason := range sortedKeys(notes) {
		if before[reason] != notes[reason] {
			if err := e.create(ctx, object, reason, notes[reason]); err != nil {
				return fmt.Errorf("creating Event %s for %s: %w", reason, report.Ref, err)
			}
		}
		emitted[reason] = notes[reason]
	}
	return nil
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
