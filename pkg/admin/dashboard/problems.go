package dashboard

import (
	"net/url"

	"github.com/limpet-dev/limpet/pkg/model"
)

// problem is the JSON form of a Problem.
type problem struct {
	Object  model.Ref `json:"object"`
	Field   string    `json:"field,omitempty"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	// Advice describes how to solve the problem. It is empty for reasons of conditions.
	Advice string `json:"advice,omitempty"`
}

func (d *Dashboard) problems(values url.Values) (any, error) {
	q, err := parseQuery(values, "object")
	if err != nil {
		return nil, err
	}
	all := d.states.get().Problems
	var selected []*Problem
	for i := range all {
		p := &all[i]
		if q.selects(p.Object.Namespace) && q.matches(p.Object.String(), p.Reason, p.Field, p.Message) {
			selected = append(selected, p)
		}
	}
	return paginate(q, selected, func(p *Problem) problem {
		return problem{p.Object, p.Field, p.Reason, p.Message, adviceByReason[p.Reason]}
	}), nil
}
