const e=new Error("x"); e.code="E1"; Promise.reject(e);
