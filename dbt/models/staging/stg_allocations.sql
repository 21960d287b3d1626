{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'target_allocation') }}

),

renamed as (

    select
        run_id,
        account_id,
        symbol,
        weight,
        current_weight,
        lower_bound,
        upper_bound,
        bound_binds,
        binding_constraint,
        no_trade,
        goal_upper_bound
    from source

)

select * from renamed
