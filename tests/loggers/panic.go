package main
import "sync"
type T struct{}
func (t *T) boom(m map[string]int) { m["a"] = 1 }
func main() { var wg sync.WaitGroup; wg.Add(1); go func() { defer wg.Done(); (&T{}).boom(nil) }(); wg.Wait() }
