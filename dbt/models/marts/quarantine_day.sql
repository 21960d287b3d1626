with final as (

    select
        dataset,
        day,
        rule,
        count(distinct subject) as subject_count,
        count(*) as rejected_count
    from {{ ref('stg_rejections') }}
    group by dataset, day, rule

)

select * from final
order by dataset, day, rule
