package translate_test

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// Limits that replicas are to share are reported if there is no store for that, and serve as those of each replica.
func TestLimits_withoutSharedStore(t *testing.T) {
	for _, without := range []bool{false, true} {
		w := sharedSnapshot(t)
		w.Ingresses[0].Annotations["limpet.dev/limit-rps"] = "5"
		w.Ingresses[0].Annotations["limpet.dev/limit-shared"] = "true"
		result := translate.Build(w, nil, translate.Options{TakeUnclassed: true, WithoutSharedStore: without})
		limits := 0
		for i := range result.Model.Routes {
			if f := result.Model.Routes[i].Filters; f != nil && f.RateLimit != nil {
				limits++
				if f.RateLimit.IsShared == without {
					t.Errorf("without a store %v: the limit is %+v", without, f.RateLimit)
				}
			}
		}
		reported := false
		for _, report := range result.Reports {
			for _, p := range report.Problems {
				reported = reported || p.Field == "metadata.annotations[limpet.dev/limit-shared]" && p.Reason == translate.ReasonNoEffect
			}
		}
		if limits == 0 || reported != without {
			t.Errorf("without a store %v: %d limits, reported %v", without, limits, reported)
		}
	}
}
