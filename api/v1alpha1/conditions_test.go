package v1alpha1

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func target(name string, conditions ...metav1.Condition) TargetStatus {
	return TargetStatus{TargetRef: TargetRef{Kind: "Service", Name: name}, Conditions: conditions}
}

func condition(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: "it is " + reason, ObservedGeneration: 3,
		LastTransitionTime: metav1.NewTime(time.Unix(1, 0)),
	}
}

func TestSummarize_worstTarget(t *testing.T) {
	sum := Summarize([]TargetStatus{
		target("a", condition(ConditionAccepted, "True", "Accepted"), condition(ConditionConflicted, "False", "NoConflict")),
		target("b", condition(ConditionAccepted, "True", "Accepted"), condition(ConditionConflicted, "True", "TargetTaken")),
		target("c", condition(ConditionAccepted, "True", "Accepted"), condition(ConditionConflicted, "True", "TargetTaken")),
	})
	if len(sum) != 2 {
		t.Fatalf("got %d conditions, want 2", len(sum))
	}
	accepted, conflicted := sum[0], sum[1]
	if accepted.Status != "True" || accepted.Message != "it is Accepted" || accepted.ObservedGeneration != 3 {
		t.Errorf("Accepted is %+v", accepted)
	}
	want := "Service b: it is TargetTaken; Service c: it is TargetTaken"
	if conflicted.Status != "True" || conflicted.Reason != "TargetTaken" || conflicted.Message != want {
		t.Errorf("Conflicted is %+v", conflicted)
	}
	if !conflicted.LastTransitionTime.IsZero() {
		t.Error("LastTransitionTime is set, want zero")
	}
}

func TestSummarize_unknownIsUnhealthy(t *testing.T) {
	sum := Summarize([]TargetStatus{
		target("a", condition(ConditionProgrammed, "True", "Programmed")),
		target("b", condition(ConditionProgrammed, "Unknown", "Later")),
	})
	if len(sum) != 1 || sum[0].Status != "Unknown" || sum[0].Reason != "Later" {
		t.Errorf("got %+v", sum)
	}
}

func TestDuration_Parse(t *testing.T) {
	for text, want := range map[Duration]time.Duration{
		"": 0, "0s": 0, "1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond, "99999h": 99999 * time.Hour,
	} {
		if got, err := text.Parse(); got != want || err != nil {
			t.Errorf("Parse(%q) = %s, %v, want %s", text, got, err, want)
		}
	}
	if _, err := Duration("1d").Parse(); err == nil {
		t.Error("Parse(\"1d\") succeeded, want an error")
	}
}
