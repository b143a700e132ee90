package filter

import "testing"

func TestClosed(t *testing.T) {
	var open Chain
	open.Add(NewClosed(false))
	if got := open.FilterRequest(requestFor(t)); got != nil {
		t.Errorf("an open route: got %d", got.Status)
	}
	closed := NewClosed(true)
	got := closed.(RequestFilter).FilterRequest(requestFor(t))
	if statusOf(got) != 503 || len(got.Body) == 0 || got.Close {
		t.Errorf("a closed route: got %+v", got)
	}
	for i := range got.Fields {
		if string(got.Fields[i].Name) == "Retry-After" {
			t.Error("response has Retry-After")
		}
	}
	if !Protects(closed) {
		t.Error("Protects is false")
	}
}
