package controllers

import (
	"context"

	"github.com/go-logr/logr"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/pkg/model"
)

// objectWriter makes the changes of the status writer in the API server.
type objectWriter interface {
	// patchStatus patches the status of object, which is the object that ref names.
	patchStatus(ctx context.Context, ref model.Ref, object client.Object, patch client.Patch) error
	createEvent(ctx context.Context, event *eventsv1.Event) error
}

// clusterWriter writes to the API server.
type clusterWriter struct{ client client.Client }

func (w clusterWriter) patchStatus(ctx context.Context, _ model.Ref, object client.Object, patch client.Patch) error {
	return w.client.Status().Patch(ctx, object, patch)
}

func (w clusterWriter) createEvent(ctx context.Context, event *eventsv1.Event) error {
	return w.client.Create(ctx, event)
}

// shadowWriter logs what clusterWriter would write. It has no client, so it cannot write.
type shadowWriter struct{ log logr.Logger }

// maxLoggedPatch is the maximum number of bytes of a patch in the log.
const maxLoggedPatch = 1024

func (w shadowWriter) patchStatus(_ context.Context, ref model.Ref, object client.Object, patch client.Patch) error {
	data, err := patch.Data(object)
	if err != nil {
		return err
	}
	w.log.Info("Status not written", "object", ref.String(), "patch", string(data[:min(len(data), maxLoggedPatch)]))
	return nil
}

func (w shadowWriter) createEvent(_ context.Context, event *eventsv1.Event) error {
	about := model.Ref{Kind: event.Regarding.Kind, Namespace: event.Regarding.Namespace, Name: event.Regarding.Name}
	w.log.Info("Problem found", "object", about.String(), "reason", event.Reason, "message", event.Note)
	return nil
}
