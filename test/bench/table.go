package main

import (
	"fmt"
	"io"
	"strings"
)

// table is a Markdown table with aligned columns.
type table struct{ rows [][]string }

func newTable(heads ...string) *table { return &table{rows: [][]string{heads}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// write left-aligns the first column and right-aligns the others.
func (t *table) write(w io.Writer) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell), len("-:"))
		}
	}
	for n, row := range t.rows {
		for i, cell := range row {
			fmt.Fprintf(w, "| %*s ", aligned(i, widths[i]), cell)
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			t.rule(w, widths)
		}
	}
}

func (t *table) rule(w io.Writer, widths []int) {
	for i, width := range widths {
		line := strings.Repeat("-", width+1)
		if i == 0 {
			fmt.Fprintf(w, "|%s-", line)
			continue
		}
		fmt.Fprintf(w, "|%s:", line)
	}
	fmt.Fprintln(w, "|")
}

func aligned(column, width int) int {
	if column == 0 {
		return -width
	}
	return width
}
