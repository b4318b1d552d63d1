using System;
using System.Collections.Generic;
using System.IO;
using System.Threading.Tasks;

namespace Shop {
    class NotPaid : Exception {
        public NotPaid(string message, Exception inner) : base(message, inner) { }
    }

    static class Store {
        public static string Order(int number) {
            if (number > 3) throw new FileNotFoundException("no order\nof that number", "orders/" + number);
            return "order " + number;
        }
    }

    class Payments<T> {
        public T Pay(int number, Func<string, T> by) {
            try {
                return by(Store.Order(number));
            } catch (IOException e) {
                throw new InvalidOperationException("order " + number + " cannot be read", e);
            }
        }
    }

    static class Program {
        static void Run(int number) {
            try {
                new Payments<int>().Pay(number, order => order.Length);
            } catch (InvalidOperationException e) {
                throw new NotPaid("not paid", e);
            }
        }

        static async Task Later(int number) {
            await Task.Delay(1);
            Run(number);
        }

        static void Main(string[] arguments) {
            var numbers = new Dictionary<string, int>();
            try { Run(4); } catch (Exception e) { Console.Error.WriteLine(e); }
            Console.Error.WriteLine("next");
            try { Later(5).Wait(); } catch (Exception e) { Console.Error.WriteLine("it failed: " + e); }
            Console.Error.WriteLine("next");
            try { Later(5).GetAwaiter().GetResult(); } catch (Exception e) { Console.Error.WriteLine("ERROR " + e); }
            Console.Error.WriteLine("next");
            try { Task.WaitAll(Later(6), Task.Run(() => numbers["none"])); } catch (Exception e) { Console.Error.WriteLine(e.ToString()); }
            Console.Error.WriteLine("next");
            Run(7);
        }
    }
}
