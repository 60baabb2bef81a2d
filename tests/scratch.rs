//! scratch
use buildout::*;
#[test] fn go() {
 let text = std::fs::read_to_string("/tmp/q.json").unwrap();
 let s: Scenario = serde_json::from_str(&text).unwrap();
 let m = match s.compile() { Ok(m)=>m, Err(e)=>panic!("{e}") };
 println!("inputs {}", m.input_names().count());
 let t=std::time::Instant::now();
 let n=1000;
 let p = Batch::new(&m).trials(n).seed(1).threads(1).run().unwrap();
 println!("{:?} per trial", t.elapsed()/n as u32);
 let l=m.layout().clone();
 let months=[0usize,3,6,7,8,9,11,23,35,47,59,71,83,95,107,119,131];
 for (k,metric) in l.metrics.iter().enumerate() {
   print!("{:34}", metric.name);
   for &mo in &months { let mut v: Vec<f64> = p.rows.iter().map(|r| r.monthly(0,k)[mo]).collect(); v.sort_by(f64::total_cmp); print!(" {:>8.1}", v[v.len()/2]); }
   println!();
 }
 for c in 0..4 { print!("{:34}", l.causes[c]); for &mo in &months { print!(" {:>8.2}", p.rows.iter().filter(|r| r.binding(0)[mo] as usize==c).count() as f64/ n as f64);} println!(); }
 for (k,name) in l.milestones.iter().enumerate() { let mut v: Vec<f64> = p.rows.iter().map(|r| r.milestones()[k]).collect(); v.sort_by(f64::total_cmp); println!("{name:60} {:.1} {:.1} {:.1}", v[100], v[500], v[900]); }
 for (k,t) in l.targets.iter().enumerate() { println!("{} {}", t.name, p.rows.iter().filter(|r| r.targets()[k]).count()); }
}
