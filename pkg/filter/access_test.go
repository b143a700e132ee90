package filter

import (
	"net/http"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// fixedCheck always returns the same decision.
type fixedCheck struct {
	decision AccessDecision
	status   int
	ran      int
}

func (c *fixedCheck) CheckAccess(*Request) (AccessDecision, *Response) {
	c.ran++
	if c.status == 0 {
		return c.decision, nil
	}
	return c.decision, NewText(c.status, "Refused.")
}

// The cases follow ngx_http_core_access_phase.
func TestAccess(t *testing.T) {
	grant := fixedCheck{decision: AccessGranted}
	none := fixedCheck{decision: AccessUndecided}
	forbid := fixedCheck{decision: AccessRefused, status: 403}
	ask := fixedCheck{decision: AccessRefused, status: 401}
	fail := fixedCheck{decision: AccessFailed, status: 503}
	cases := []struct {
		name     string
		checks   []fixedCheck
		all, any int // the status with each satisfy value; 0: served
	}{
		{"one grants", []fixedCheck{grant}, 0, 0},
		{"one refuses", []fixedCheck{forbid}, 403, 403},
		{"none decides", []fixedCheck{none, none}, 0, 0},
		{"address granted, credentials refused", []fixedCheck{grant, ask}, 401, 0},
		{"address refused, credentials granted", []fixedCheck{forbid, grant}, 403, 0},
		{"both refused", []fixedCheck{forbid, ask}, 403, 401},
		{"both refused, in the other order", []fixedCheck{ask, forbid}, 401, 401},
		{"undecided, credentials refused", []fixedCheck{none, ask}, 401, 401},
		{"failed before granted", []fixedCheck{fail, grant}, 503, 503},
		{"granted before failed", []fixedCheck{grant, fail}, 503, 0},
		{"refused before failed", []fixedCheck{forbid, fail}, 403, 503},
	}
	for _, c := range cases {
		for satisfiesAny, want := range map[bool]int{false: c.all, true: c.any} {
			checks := make([]AccessCheck, len(c.checks))
			for i := range c.checks {
				checks[i] = &c.checks[i]
			}
			got := 0
			if resp := NewAccess(satisfiesAny, checks...).(RequestFilter).FilterRequest(&Request{}); resp != nil {
				got = resp.Status
			}
			if got != want {
				t.Errorf("%s, any %t: got %d, want %d", c.name, satisfiesAny, got, want)
			}
		}
	}
}

func TestNewAccess_nothingToCheck(t *testing.T) {
	if f := NewAccess(true, nil, NewAddresses(nil)); f != nil {
		t.Errorf("got %v", f)
	}
	if !Protects(NewAccess(false, NewAddresses(&model.AddressList{}))) {
		t.Error("the filter does not count as protection")
	}
	if IsAnySatisfying(nil) || IsAnySatisfying(&model.Filters{}) || IsAnySatisfying(&model.Filters{Access: &model.Access{}}) {
		t.Error("any check suffices without the setting")
	}
	if addressRefused.Status != http.StatusForbidden {
		t.Errorf("status %d", addressRefused.Status)
	}
}
