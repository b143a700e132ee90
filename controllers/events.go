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
	maxNote             = 1024 // what the API server takes
)

// events tells the problems of objects as Events, one for each reason, when they arise or change. It does not go through
// client-go's recorder: that merges Events which differ in their note only, and the note is what says what is wrong.
// Safe for concurrent use.
type events struct {
	client   client.Client
	scheme   *runtime.Scheme
	instance string

	mu   sync.Mutex
	told map[model.Ref]map[string]string // reason -> note
}

func (e *events) forgetAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = map[model.Ref]map[string]string{}
}

func (e *events) forget(ref model.Ref) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.told, ref)
}

// tell creates the Events that have not been told. Those that could not be created are told with the next try.
func (e *events) tell(ctx context.Context, object client.Object, report *translate.Report) error {
	notes := notesByReason(report.Problems)
	e.mu.Lock()
	defer e.mu.Unlock()
	told := map[string]string{}
	defer func() { e.told[report.Ref] = told }()
	for _, reason := range sortedKeys(notes) {
		if e.told[report.Ref][reason] != notes[reason] {
			if err := e.create(ctx, object, reason, notes[reason]); err != nil {
				return fmt.Errorf("telling %s about %s: %w", report.Ref, reason, err)
			}
		}
		told[reason] = notes[reason]
	}
	return nil
}

func (e *events) create(ctx context.Context, object client.Object, reason, note string) error {
	gvk, err := apiutil.GVKForObject(object, e.scheme)
	if err != nil {
		return err
	}
	err = e.client.Create(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:    object.GetNamespace(),
			GenerateName: namePrefix(object.GetName()),
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
		return nil // nobody is left to be told
	}
	return err
}

// namePrefix is the object's name, as far as a name to be completed by the API server may go.
func namePrefix(name string) string {
	const most = 50
	return strings.TrimRight(name[:min(len(name), most)], ".-") + "-"
}

// notesByReason joins the problems of one reason to one note.
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
		notes[reason] = shorten(strings.Join(all, "; "))
	}
	return notes
}

// shorten cuts a note at the last rune that fits.
func shorten(note string) string {
	const mark = " ..."
	if len(note) <= maxNote {
		return note
	}
	return strings.ToValidUTF8(note[:maxNote-len(mark)], "") + mark
}

func sortedKeys(notes map[string]string) []string {
	keys := make([]string, 0, len(notes))
	for key := range notes {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
