package dashboard

import "net/url"

// replicas compares the replicas of this installation.
func (d *Dashboard) replicas(values url.Values) (any, error) {
	if err := checkNames(values); err != nil {
		return nil, err
	}
	return d.summary.get(replicasAge, d.options.Replicas), nil
}
