package controllers

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

func TestStatusKinds_coverAllReports(t *testing.T) {
	for _, name := range []string{v1alpha1.Kind, model.KindIngress, model.KindSecret, model.KindPod} {
		if kind := statusKinds[name]; kind.read == nil || kind.write == nil {
			t.Errorf("there may be Reports on %s", name)
		}
	}
}

func TestStatusKinds_unknownKind(t *testing.T) {
	report := &translate.Report{Ref: model.Ref{Kind: "Gadget", Namespace: "shop", Name: "g"}}
	_, err := (&statusWriter{}).writeStatus(t.Context(), report)
	if err == nil || !strings.Contains(err.Error(), "Gadget") {
		t.Errorf("got the error %v, want one that names the kind", err)
	}
}
